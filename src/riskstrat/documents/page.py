"""A document as Markdown or as one self-contained page to print: tables, and empty places that people fill in."""

from __future__ import annotations

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from riskstrat.documents.tables import Table, markdown

EMPTY = "_(to be written)_"


@dataclass(frozen=True)
class Part:
    """A section: computed tables first, then the place for what people are asked in ``prompt``."""

    title: str = ""
    tables: tuple[Table, ...] = ()
    prompt: str = ""


@dataclass(frozen=True)
class Page:
    """A whole document; ``footer`` says where its figures come from."""

    title: str
    subtitle: str
    parts: tuple[Part, ...]
    footer: tuple[str, ...]


def as_markdown(page: Page) -> str:
    """The document as Markdown, ending with a line break."""
    lines = [f"# {page.title}", "", page.subtitle, ""]
    for part in page.parts:
        if part.title:
            lines += [f"## {part.title}", ""]
        for table in part.tables:
            lines += markdown(table)
        if part.prompt:
            lines += [f"> {part.prompt}", "", EMPTY, ""]
    lines += ["---", "", *(f"{line}  " for line in page.footer)]
    return "\n".join(line.rstrip() if not line.endswith("  ") else line for line in lines) + "\n"


def as_html(page: Page) -> str:
    """The document as one HTML page without script or web address."""
    environment = Environment(
        loader=PackageLoader("riskstrat.documents", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("document.html.j2").render(page=page)
