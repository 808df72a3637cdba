"""Deliveries of a stated size, made from a demo town: its rows again and again under new keys."""

from __future__ import annotations

from pathlib import Path

import duckdb

from riskstrat.definitions.contracts import load_contracts
from riskstrat.demo.town import write_town
from riskstrat.progress import Progress
from riskstrat.site import Site

# The rows that the issue of reading and checking names; the register is one row a person.
ROWS = {"gp_events": 30_000_000, "acute_episodes": 3_000_000, "community_contacts": 10_000_000}
PEOPLE_PER_ROW = 1_000_000 / 30_000_000


def write_deliveries(site: Site, as_of: str, *, scale: float, seed: int = 1) -> Path:
    """One delivery with the rows of ROWS times ``scale``; every other required extract has a header alone."""
    from datetime import date

    day = date.fromisoformat(as_of)
    people = max(1_000, int(ROWS["gp_events"] * PEOPLE_PER_ROW * scale))
    town = write_town(
        site.landing,
        site.config / "codelists",
        site.config / "geography",
        site.root / "data_contracts",
        people=people,
        seed=seed,
        as_of=day,
        faults=False,
        progress=Progress(),
    )
    for path in sorted(town.delivery.glob("*.csv")):
        if path.stem in ROWS:
            _stretch(
                path,
                int(ROWS[path.stem] * scale),
                load_contracts(site.root / "data_contracts")[path.stem].key[0],
            )
        elif path.stem != "gp_patients":
            path.write_text(path.read_text(encoding="utf-8").partition("\n")[0] + "\n", encoding="utf-8")
    return town.delivery


def _stretch(path: Path, rows: int, key: str) -> None:
    """Repeat a file's rows under new keys until there are ``rows`` of them."""
    whole = path.with_suffix(".whole")
    path.rename(whole)
    source = f"read_csv('{whole}', header = true, all_varchar = true)"
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2; SET memory_limit = '4GB'")
        (there,) = connection.execute(f"SELECT count(*) FROM {source}").fetchone() or (0,)
        copies = -(-rows // there)
        repeated = " UNION ALL ".join(
            f"SELECT * REPLACE ({key} || '{f'-{copy}' if copy else ''}' AS {key}) FROM {source}"
            for copy in range(copies)
        )
        connection.execute(
            f"COPY (SELECT * FROM ({repeated}) LIMIT {rows}) TO '{path}' (HEADER, DELIMITER ',')"
        )
    whole.unlink()
