"""Telling the person at the terminal what goes on: always on stderr, a moving line only on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Progress:
    """Says what a long job is doing and how long each stage took (seconds, wall clock)."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.timings: dict[str, float] = {}
        self._moving = sys.stderr.isatty() and not quiet
        self._status: Any = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage and print a line for it when it is done."""
        started = time.perf_counter()
        with self._spinner(name):
            yield
        seconds = time.perf_counter() - started
        self.timings[name] = round(seconds, 3)
        self.say(f"{name:<10} {seconds:6.1f} s")

    def say(self, text: str) -> None:
        """Print one line on stderr."""
        if not self.quiet:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def step(self, text: str) -> None:
        """Name the step within the stage, where there is a terminal to show it on."""
        if self._moving and self._status is not None:
            self._status.update(text)

    @contextmanager
    def _spinner(self, name: str) -> Iterator[None]:
        if not self._moving:
            yield
            return
        from rich.console import Console

        with Console(stderr=True).status(name) as status:
            self._status = status
            try:
                yield
            finally:
                self._status = None
