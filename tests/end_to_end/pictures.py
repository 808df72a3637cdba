"""What a reader sees of a file: LibreOffice and Chromium draw it, poppler says which words stand where."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.image import imread

SECONDS = 180
WHITE = 0.8
Picture = npt.NDArray[np.float32]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WORD = re.compile(
    r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)">(.*?)</word>', re.DOTALL
)


@dataclass(frozen=True)
class Word:
    """A word and its box on a page, in points from the upper left."""

    left: float
    top: float
    right: float
    bottom: float
    text: str

    def covers(self, other: Word) -> bool:
        """Whether more than a quarter of the other word lies under this one."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        size = (other.right - other.left) * (other.bottom - other.top)
        return across > 0 and down > 0 and across * down > size / 4


@dataclass(frozen=True)
class Document:
    """A PDF: the text of each page, and the words with their boxes."""

    path: Path
    pages: tuple[str, ...]
    words: tuple[tuple[Word, ...], ...]

    @property
    def text(self) -> str:
        """Everything, with single spaces."""
        return " ".join(" ".join(self.pages).split())

    def picture(self, page: int) -> Picture:
        """The page in greys, as a black and white printer has it."""
        stem = self.path.with_suffix("")
        only = ("-singlefile", "-f", str(page), "-l", str(page))
        run("pdftoppm", "-gray", "-r", "60", "-png", *only, str(self.path), f"{stem}-{page}")
        return imread(f"{stem}-{page}.png")


def tool(*names: str) -> str:
    """The first of these programs; the test is skipped where there is none."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed, so nobody can look at the file")
    return found


def run(*command: str) -> str:
    name, *arguments = command
    ended = subprocess.run(
        [tool(name), *arguments], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    return ended.stdout


def drawn_workbook(path: Path) -> Document:
    """The workbook as LibreOffice prints it."""
    profile, folder = f"file://{path.parent / 'libreoffice'}", str(path.parent)
    office = tool("soffice", "libreoffice")
    run(
        office,
        f"-env:UserInstallation={profile}",
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
        folder,
        str(path),
    )
    return read_document(path.with_suffix(".pdf"))


def drawn_page(path: Path) -> Document:
    """The page as Chromium prints it."""
    target = path.with_suffix(".page.pdf")
    _chromium(path, "--no-pdf-header-footer", f"--print-to-pdf={target}")
    return read_document(target)


def screenshot(path: Path) -> Picture:
    """The page as a reader sees it on a screen: rows, columns, and red, green and blue."""
    target = path.with_suffix(".png")
    _chromium(path, "--window-size=1280,1600", f"--screenshot={target}")
    return imread(target)


def _chromium(path: Path, *arguments: str) -> None:
    profile = path.parent / "chromium"
    run(tool(*CHROMIUM), *QUIET, f"--user-data-dir={profile}", *arguments, path.as_uri())


def read_document(path: Path) -> Document:
    pages = run("pdftotext", "-raw", str(path), "-").split("\f")[:-1]
    boxes = run("pdftotext", "-bbox", str(path), "-").split("<page ")[1:]
    words = tuple(
        tuple(Word(*map(float, found[:4]), unescape(found[4])) for found in WORD.findall(page))
        for page in boxes
    )
    return Document(path, tuple(pages), words)


def ink(picture: Picture) -> float:
    """The share of a picture that is not white; 0 is black and 1 is white."""
    greys = picture if picture.ndim == 2 else picture[:, :, :3].mean(axis=2)
    return float((greys < WHITE).mean())
