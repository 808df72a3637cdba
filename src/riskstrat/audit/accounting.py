"""What lies in a site and should be on record there: published runs, and certificates of purges.

An older log with the head that belonged to it is whole by itself. These are the witnesses against it.
"""

from __future__ import annotations

from collections.abc import Iterator

from riskstrat.audit.entries import read_entries
from riskstrat.runs import MANIFEST, file_hash, list_runs
from riskstrat.site import Site

CERTIFICATES = "certificates"
GONE = "entries are gone, the log was put back to an older one, or somebody else put it there."


def unaccounted(site: Site) -> list[str]:
    """What the log does not account for; nothing where it tells of all that is there."""
    return [*_runs(site), *_certificates(site)]


def _runs(site: Site) -> Iterator[str]:
    entries = [entry.facts for entry in read_entries(site)]
    logged = {str(facts["run"]): facts["manifest_sha256"] for facts in entries if "manifest_sha256" in facts}
    for run in list_runs(site.output):
        if run.id not in logged:
            yield f"run {run.id} is published and no entry says so: {GONE}"
        elif file_hash(run.folder / MANIFEST) != logged[run.id]:
            yield f"run {run.id} is not what entries say was published: its {MANIFEST} was changed."


def _certificates(site: Site) -> Iterator[str]:
    entries = [entry.facts for entry in read_entries(site)]
    logged = {facts["certificate_sha256"]: facts["n"] for facts in entries if "certificate_sha256" in facts}
    present = {file_hash(path): path.name for path in sorted((site.state / CERTIFICATES).glob("*.json"))}
    for fingerprint, name in present.items():
        if fingerprint not in logged:
            yield f"no entry says of the certificate {name}: it was changed, or {GONE}"
    for fingerprint, number in logged.items():
        if fingerprint not in present:
            yield f"the certificate of entry {number} is gone from state/{CERTIFICATES}/, or was changed."
