"""Reading YAML and CSV definitions strictly: a mistake is named with its file and place."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from riskstrat.errors import DefinitionError


def read_mapping(path: Path) -> Mapping[str, Any]:
    """The mapping that a YAML file holds. Raises DefinitionError when it is missing or is none."""
    import yaml

    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_strict_loader())
    except FileNotFoundError:
        raise DefinitionError("is missing.", file=path, remedy="restore it from riskstrat init.") from None
    except UnicodeDecodeError:
        raise DefinitionError("is not UTF-8 text.", file=path, remedy="save it as UTF-8.") from None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        raise DefinitionError(
            f"is not valid YAML ({getattr(problem, 'problem', None) or 'unreadable'}).",
            file=path,
            row=mark.line + 1 if mark else None,
            remedy="correct the indentation or quoting there.",
        ) from None
    if not isinstance(document, dict):
        raise DefinitionError("must hold keys and values.", file=path)
    return document


@cache
def _strict_loader() -> Any:
    """The safe YAML loader, in C where it was built, that refuses a key given twice: one of them would be lost."""
    import yaml

    class StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        pass

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
        for (key, _), value in zip(node.value, keys, strict=True):
            if keys.count(value) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{value}' stands twice", key.start_mark
                )
        return dict(loader.construct_mapping(node, deep=True))

    StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return StrictLoader


def mapping_at(document: Mapping[str, Any], key: str, file: Path) -> Mapping[str, Any]:
    """The mapping under ``key``, not empty. Raises DefinitionError."""
    value = document.get(key)
    if not isinstance(value, Mapping) or not value:
        raise DefinitionError("must hold keys and values.", file=file, column=key, remedy="fill it in.")
    return value


def check_keys(
    found: Any,
    *,
    allowed: Iterable[str],
    required: Iterable[str] = (),
    file: Path,
    where: str | None = None,
) -> None:
    """Raise DefinitionError for a missing or an unknown key; an unknown one proposes a near name."""
    if not isinstance(found, Mapping):
        raise DefinitionError(
            f"{where or 'the file'} must hold keys and values.", file=file, column=where, remedy="fill it in."
        )
    found_keys, allowed_keys = list(found), list(allowed)
    for key in found_keys:
        if key not in allowed_keys:
            near = difflib.get_close_matches(str(key), allowed_keys, n=1)
            raise DefinitionError(
                f"unknown key '{key}'" + (f" in {where}." if where else "."),
                file=file,
                column=str(key),
                remedy=f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(allowed_keys)}.",
            )
    for key in required:
        if key not in found_keys:
            raise DefinitionError(
                f"the key '{key}' is missing" + (f" in {where}." if where else "."),
                file=file,
                column=key,
                remedy="add it.",
            )


def read_table(path: Path, columns: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a UTF-8 CSV file with exactly these columns (any order), each with its line number.

    Raises DefinitionError on a missing file, another header or a row of another length.
    """
    expected = set(columns)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restkey="", strict=True)
            header = reader.fieldnames or []
            if set(header) != expected or len(header) != len(expected):
                raise DefinitionError(
                    f"the columns must be {', '.join(columns)}; found {', '.join(header) or 'none'}.",
                    file=path,
                    row=1,
                    remedy="correct the header.",
                )
            for row in reader:
                if "" in row or None in row.values():
                    raise DefinitionError(
                        f"this row has not {len(expected)} fields.",
                        file=path,
                        row=reader.line_num,
                        remedy="correct it.",
                    )
                yield reader.line_num, {name: value.strip() for name, value in row.items()}
    except FileNotFoundError:
        raise DefinitionError("is missing.", file=path, remedy="restore it from riskstrat init.") from None
    except (UnicodeDecodeError, csv.Error) as problem:
        raise DefinitionError(f"is not a readable UTF-8 CSV ({type(problem).__name__}).", file=path) from None
