"""docs/cli.md and the help texts name every command, with an example."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from riskstrat.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"


def commands(command: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command of the tree that does something, with the words that call it."""
    children = getattr(command, "commands", None)
    if not children:
        yield names, command
        return
    for name, child in children.items():
        yield from commands(child, (*names, name))


TREE = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("names", TREE, ids=" ".join)
def test_command_has_a_section_and_an_example_in_the_reference(names: tuple[str, ...]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    called = f"riskstrat {' '.join(names)}"
    assert re.search(rf"^### `{re.escape(called)}\b.*`$", page, flags=re.MULTILINE)
    assert re.search(rf"^{re.escape(called)}\b", page, flags=re.MULTILINE)


@pytest.mark.parametrize("names", TREE, ids=" ".join)
def test_command_has_help_with_an_example_and_so_has_every_option(names: tuple[str, ...]) -> None:
    command = TREE[names]
    assert f"Example: riskstrat {' '.join(names)}" in command.help
    page = PAGE.read_text(encoding="utf-8")
    for parameter in command.params:
        assert getattr(parameter, "help", None), parameter.name
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert f"`{option}" in page, option


def test_reference_names_no_command_that_is_not_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^### `riskstrat ([^`]*)`$", page, flags=re.MULTILINE)
    known = {" ".join(names) for names in TREE}
    named = {" ".join(re.match(r"[a-z ]*", heading)[0].split()) for heading in headings}  # type: ignore[index]
    assert named == known
