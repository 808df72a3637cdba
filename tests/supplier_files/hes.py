"""NHS England's artificial Hospital Episode Statistics: a file of episodes, or one of A&E attendances."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.supplier_files.files import Row, write_table

DIAGNOSES = " ".join(f"DIAG_4_{place:02d}" for place in range(1, 21))
APC_COLUMNS = (
    f"FYEAR EPIKEY PSEUDO_HESID ADMIDATE ADMIMETH ADMISORC CLASSPAT {DIAGNOSES} DISDATE DISDEST DISMETH EPIEND "
    "EPIORDER EPISTART EPISTAT EPITYPE ETHNOS GPPRAC MYDOB PROCODE3 SEX SPELBGIN SPELEND STARTAGE TRETSPEF"
)
AE_COLUMNS = (
    "FYEAR PSEUDO_HESID AEKEY AEARRIVALMODE AEATTENDCAT AEDEPTTYPE AEPATGROUP ARRIVALAGE ARRIVALDATE ARRIVALTIME "
    "DEPTIME ETHNOS GPPRAC LSOA11 PROCODE3 SEX"
)


def episode(index: int, person: int, **columns: str) -> Row:
    return {
        "FYEAR": "2526",
        "EPIKEY": str(513700000000 + index),
        "PSEUDO_HESID": f"TEST{person:04d}",
        "ADMIDATE": "2025-10-01",
        "ADMIMETH": "21",
        "ADMISORC": "19",
        "CLASSPAT": "1",
        "DIAG_4_01": "J440",
        "DIAG_4_02": "-",
        "DISDATE": "2025-10-05",
        "DISDEST": "19",
        "DISMETH": "1",
        "EPIEND": "2025-10-05",
        "EPIORDER": "1",
        "EPISTART": "2025-10-01",
        "EPISTAT": "3",
        "EPITYPE": "1",
        "ETHNOS": "A",
        "GPPRAC": "&",
        "MYDOB": "061945",
        "PROCODE3": "RT1",
        "SEX": "2",
        "SPELBGIN": "2",
        "SPELEND": "Y",
        "STARTAGE": "80",
        "TRETSPEF": "&",
    } | columns


def attendance(index: int, person: int, **columns: str) -> Row:
    return {
        "FYEAR": "2526",
        "PSEUDO_HESID": f"TEST{person:04d}",
        "AEKEY": str(502900000000 + index),
        "AEARRIVALMODE": "1",
        "AEATTENDCAT": "1",
        "AEDEPTTYPE": "01",
        "AEPATGROUP": "80",
        "ARRIVALAGE": "80.0",
        "ARRIVALDATE": "2025-10-01",
        "ARRIVALTIME": "2310",
        "DEPTIME": "0125",
        "ETHNOS": "X",
        "GPPRAC": "&",
        "PROCODE3": "RT1",
        "SEX": "1",
    } | columns


def write_apc(delivery: Path, rows: Iterable[Row]) -> None:
    write_table(delivery / "hes_apc_2025_26.csv", APC_COLUMNS.split(), rows)


def write_ae(delivery: Path, rows: Iterable[Row]) -> None:
    write_table(delivery / "hes_ae_2025_26.csv", AE_COLUMNS.split(), rows)
