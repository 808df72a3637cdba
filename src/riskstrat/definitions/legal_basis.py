"""``config/legal_basis.yaml``: which law lets which extract be used for which purpose, and until when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from riskstrat.definitions.cohort_values import count_at, day_at, flag_at, names_at, text_at
from riskstrat.definitions.documents import check_keys, mapping_at, read_mapping
from riskstrat.errors import DefinitionError, NotPermittedError

FILE = "legal_basis.yaml"
RUN_PURPOSE = "risk_stratification"
REQUIRED = ("purposes", "bases")
KEYS = (*REQUIRED, "warn_before_days")
REQUIRED_KEYS = (
    *("extracts", "purpose", "basis", "controller", "reference"),
    *("evidence_sha256", "valid_from", "expires"),
)
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Basis:
    """One approval or agreement: live from ``valid_from`` on, and on ``expires`` no longer.

    ``evidence_sha256`` is the hash of the signed document; only an example has none.
    """

    name: str
    extracts: tuple[str, ...]
    purpose: str
    basis: str
    controller: str
    reference: str
    evidence_sha256: str | None
    valid_from: date
    expires: date
    example: bool

    def is_live_on(self, day: date) -> bool:
        """Whether the basis holds on ``day``."""
        return self.valid_from <= day < self.expires

    def summary(self) -> dict[str, Any]:
        """What a manifest keeps of it."""
        return {
            "name": self.name,
            "purpose": self.purpose,
            "extracts": list(self.extracts),
            "reference": self.reference,
            "evidence_sha256": self.evidence_sha256,
            "expires": self.expires.isoformat(),
            "example": self.example,
        }


@dataclass(frozen=True)
class LegalBases:
    """Purpose to what it means, and every basis in the order of the file.

    ``warn_before_days``: how long before one expires runs begin to say so; 0 is never.
    """

    file: Path
    purposes: Mapping[str, str]
    bases: tuple[Basis, ...]
    warn_before_days: int = 0

    def expiring(self, extracts: Iterable[str], as_of: date) -> list[str]:
        """A warning for each live basis of the extracts, whatever its purpose, that soon expires without successor."""
        wanted = set(extracts)
        return [
            f"the legal basis {one.name} ({one.purpose}) expires on {one.expires}, {(one.expires - as_of).days} days "
            "after the date of this run; runs and exports that need it are refused from then on."
            for one in self.bases
            if one.is_live_on(as_of)
            and wanted & set(one.extracts)
            and (one.expires - as_of).days <= self.warn_before_days
            and not self._has_successor(one)
        ]

    def _has_successor(self, basis: Basis) -> bool:
        others = (one for one in self.bases if one.purpose == basis.purpose and one.is_live_on(basis.expires))
        return set(basis.extracts) <= {extract for one in others for extract in one.extracts}

    def require(
        self, extracts: Iterable[str], purpose: str, as_of: date, *, used_by: str
    ) -> tuple[Basis, ...]:
        """The live bases of the extracts for a purpose.

        Raises NotPermittedError naming the extracts that have none; ``used_by`` says what wants them.
        """
        wanted = sorted(set(extracts))
        live = [one for one in self.bases if one.purpose == purpose and one.is_live_on(as_of)]
        covered = {extract for one in live for extract in one.extracts}
        lacking = [extract for extract in wanted if extract not in covered]
        if lacking:
            raise NotPermittedError(
                f"{used_by} has no live legal basis for {', '.join(lacking)} for the purpose {purpose} "
                f"on {as_of}{self._lapsed(lacking, purpose, as_of)}.",
                file=self.file,
                column=lacking[0],
                remedy="renew or add a basis there, with its reference and evidence; or do without the extract.",
            )
        return tuple(one for one in live if set(one.extracts) & set(wanted))

    def _lapsed(self, extracts: list[str], purpose: str, as_of: date) -> str:
        """Which basis of the first lacking extract there is that is not live on the day."""
        for one in self.bases:
            if one.purpose == purpose and extracts[0] in one.extracts:
                if as_of >= one.expires:
                    return f": {one.name} expired on {one.expires}"
                return f": {one.name} begins on {one.valid_from}"
        return ""


def load_legal_basis(path: Path) -> LegalBases:
    """Parse purposes and bases strictly. Raises DefinitionError."""
    document = read_mapping(path)
    check_keys(document, allowed=KEYS, required=REQUIRED, file=path)
    purposes = {str(name): str(title) for name, title in mapping_at(document, "purposes", path).items()}
    bases = tuple(
        _basis(str(name), entry, purposes, path)
        for name, entry in mapping_at(document, "bases", path).items()
    )
    return LegalBases(path, purposes, bases, count_at(document, "warn_before_days", path) or 0)


def _basis(name: str, entry: Any, purposes: Mapping[str, str], path: Path) -> Basis:
    check_keys(entry, allowed=(*REQUIRED_KEYS, "example"), required=REQUIRED_KEYS, file=path, where=name)
    basis = Basis(
        name=name,
        extracts=names_at(entry, "extracts", path, where=name),
        purpose=check_purpose(text_at(entry, "purpose", path, name), purposes, path, name),
        basis=text_at(entry, "basis", path, name),
        controller=text_at(entry, "controller", path, name),
        reference=text_at(entry, "reference", path, name),
        evidence_sha256=entry["evidence_sha256"],
        valid_from=day_at(entry, "valid_from", path, name),
        expires=day_at(entry, "expires", path, name),
        example=flag_at(entry, "example", path, default=False),
    )
    for wrong, what, remedy in _mistakes(basis):
        if wrong:
            raise DefinitionError(f"{name}: {what}", file=path, column=name, remedy=remedy)
    return basis


def _mistakes(basis: Basis) -> Iterable[tuple[bool, str, str]]:
    """What is wrong with a basis, with the remedy."""
    evidence = basis.evidence_sha256
    yield not basis.extracts, "extracts names none.", "name the extracts that it covers."
    yield (
        basis.expires <= basis.valid_from,
        "it expires before it begins.",
        "correct valid_from or expires.",
    )
    yield (
        evidence is not None and not (isinstance(evidence, str) and SHA256.fullmatch(evidence)),
        "evidence_sha256 is no SHA-256.",
        "write the 64 hex digits that sha256sum gives of the signed document.",
    )
    yield (
        evidence is None and not basis.example,
        "it has no evidence.",
        "write the SHA-256 of the signed document (sha256sum FILE).",
    )


def check_purpose(purpose: str, purposes: Iterable[str], path: Path, column: str) -> str:
    """The purpose, if it is one of those listed. Raises DefinitionError."""
    if purpose not in purposes:
        raise DefinitionError(
            f"{column}: '{purpose}' is no purpose of config/{FILE}.",
            file=path,
            column=column,
            remedy=f"use one of {', '.join(purposes)}, or add it there under purposes.",
        )
    return purpose
