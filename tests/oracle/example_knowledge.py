"""A very small knowledge for the oracle's own examples: two practices, a few codes and weights."""

from __future__ import annotations

from tests.oracle.knowledge import Knowledge


def code(concept: str, system: str, value: str) -> dict[str, str]:
    return {"concept": concept, "code_system": system, "code": value}


def practice(practice_code: str, valid_from: str = "2000-01-01", valid_to: str = "") -> dict[str, str]:
    return {
        "practice_code": practice_code,
        "pcn_code": "TP1",
        "neighbourhood_code": "TN1",
        "valid_from": valid_from,
        "valid_to": valid_to,
    }


KNOWLEDGE = Knowledge(
    practices=[practice("T00001"), practice("T00002"), practice("T00003", valid_to="2026-03-31")],
    areas=[{"lsoa_code": "E01000001", "imd_decile": "1"}],
    lists={
        "efi": [
            code("falls", "snomed", "100"),
            code("falls", "readv2", "16D.."),
            code("mobility-problems", "snomed", "100"),
            code("ckd", "snomed", "200"),
        ],
        "flags": [code("flu_vaccine", "snomed", "500"), code("fall", "snomed", "501")],
        "cambridge": [
            code("copd", "readv2", "H3..."),
            code("asthma", "snomed", "600"),
            code("asthma_medicine", "snomed", "700"),
            code("cancer", "snomed", "601"),
            code("egfr", "snomed", "300"),
            code("epilepsy", "snomed", "602"),
            code("painful_condition_antiepileptic_medicine", "snomed", "701"),
        ],
        "acsc": [
            code("copd", "icd10", "J44"),
            code("copd", "icd10", "J20"),
            code("hepatitis", "icd10", "B181"),
        ],
        "charlson": [
            code("any_malignancy", "icd10", "C50"),
            code("metastatic_solid_tumour", "icd10", "C78"),
            code("renal_disease", "icd10", "N18"),
        ],
    },
    efi_values=[
        {
            **code("ckd", "snomed", "300"),
            "sex": "any",
            "operator": ">=",
            "value": "0",
            "max_operator": "<",
            "max_value": "60",
        },
        {
            **code("anaemia", "snomed", "400"),
            "sex": "female",
            "operator": ">",
            "value": "25",
            "max_operator": "<",
            "max_value": "115",
        },
    ],
    points={
        "charlson": {"any_malignancy": 2, "metastatic_solid_tumour": 6, "renal_disease": 2},
        "cambridge": {},
    },
    hfrs_tenths={"F00": 71, "N39": 32, "I10": 1},
)
