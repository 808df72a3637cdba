"""A site with published lists and keys, and nothing else: whatever taking a list back needs, and no pipeline.

People are numbers of the 999 range by index; each stands on the lists of one area unless a test says otherwise.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from riskstrat.keys import init_keys, key_fingerprint, person_id, read_site_key
from riskstrat.site import Site, load_site, write_default_site
from riskstrat.vault import vault_of
from tests import factories
from tests.fake_exports import write_geography
from tests.fake_people import NEIGHBOURHOODS

LIST, OTHER_LIST = "daily_huddle", "weekly_mdt"
AREA, OTHER_AREA = list(NEIGHBOURHOODS)[:2]
FIRST, SECOND, THIRD = date(2026, 4, 1), date(2026, 4, 2), date(2026, 4, 3)
PEOPLE = 12
COLUMNS = (
    *("list", "list_run", "area_code", "rank", "change", "nhs_number", "family_name", "reasons_fixed"),
    *("outcome", "outcome_date", "referred_to", "case_manager", "next_review_date"),
    *("q1_visits", "q2_falls", "q3_medication", "q4_memory", "q5_daily_living"),
)
Rows = Sequence[Mapping[str, object]]


def write_site(folder: Path, days: Iterable[date] = (FIRST,), key: bytes | None = None) -> Site:
    """A default site with keys, a vault and one run a day; ``key`` is the site key, for sites that are to be alike."""
    write_default_site(folder)
    write_geography(folder / "config" / "geography")
    site = load_site(folder)
    init_keys(site.keys)
    if key is not None:
        (site.keys / "site.key").write_bytes(key)
    for day in days:
        publish(site, day)
    return site


def run_id(day: date) -> str:
    return f"{day:%Y%m%d}-{hashlib.sha256(str(day).encode()).hexdigest()[:10]}"


def pseudonym(site: Site, person: int) -> str:
    return person_id(read_site_key(site.keys), factories.nhs_number(person))


def area_of(person: int) -> str:
    return AREA if person < PEOPLE // 2 else OTHER_AREA


def publish(site: Site, day: date, shown: Mapping[int, Mapping[str, Any]] | None = None) -> Path:
    """A run of a day with two lists; ``shown`` is what they say of somebody beside their area."""
    folder = site.output / "runs" / run_id(day)
    (folder / "lists").mkdir(parents=True)
    rows = [
        {
            "list": LIST,
            "area_code": area_of(person),
            "person_id": pseudonym(site, person),
            "case_manager": None,
            "next_review_date": None,
            **(shown or {}).get(person, {}),
        }
        for person in range(PEOPLE)
    ]
    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("list", "area_code", "person_id", "case_manager")),
            ("next_review_date", pa.date32()),
        ]
    )
    for name in (LIST, OTHER_LIST):
        table = pa.Table.from_pylist([{**row, "list": name} for row in rows], schema)
        pq.write_table(table, folder / "lists" / f"{name}.parquet")
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.parquet"))
    }
    manifest = {
        "run": folder.name,
        "as_of": day.isoformat(),
        "key": key_fingerprint(read_site_key(site.keys)),
        "lists": {name: {"compared_with": None} for name in (LIST, OTHER_LIST)},
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    latest = site.output / "latest"
    latest.unlink(missing_ok=True)
    latest.symlink_to(Path("runs") / folder.name)
    people = [
        {
            "person_id": pseudonym(site, person),
            "nhs_number": factories.nhs_number(person),
            "practice_code": "X9911",
        }
        for person in range(PEOPLE)
    ]
    vault_of(site).write(pa.Table.from_pylist(people), day)
    return folder


def row(person: int, day: date = FIRST, **filled: object) -> dict[str, object]:
    """A row of a list as it went out, with what a team filled in."""
    blank = dict.fromkeys(COLUMNS, "")
    return {
        **blank,
        "list": LIST,
        "list_run": run_id(day),
        "area_code": area_of(person),
        "rank": person + 1,
        "nhs_number": factories.nhs_number(person),
        "family_name": "Quillfeather",
        **filled,
    }


def seen(person: int, day: date = FIRST, **filled: object) -> dict[str, object]:
    return row(person, day, **{"outcome": "seen", "outcome_date": day.isoformat(), **filled})


def as_csv(
    rows: Rows, columns: Sequence[str] = COLUMNS, separator: str = ",", encoding: str = "utf-8"
) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, delimiter=separator, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode(encoding)


def as_xlsx(sheets: Mapping[str, Rows], columns: Sequence[str] = COLUMNS, above: Sequence[str] = ()) -> bytes:
    """A workbook with a sheet for each section and a legend."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for text in above:
            sheet.append([text])
        sheet.append([column.replace("_", " ").capitalize() for column in columns])
        for one in rows:
            sheet.append([one.get(column) for column in columns])
    book.create_sheet("Legend").append(["outcome", "one of seen, declined, ..."])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def put(folder: Path, content: bytes, name: str = "list.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
