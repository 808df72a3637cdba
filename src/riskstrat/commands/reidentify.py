"""riskstrat reidentify: a recipient opens a sealed file with their own private key."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstrat.commands.choosing import say
from riskstrat.commands.state import State
from riskstrat.errors import MisuseError

if TYPE_CHECKING:
    from riskstrat.site import Site


def reidentify(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A sealed file, its manifest beside it.")],
    recipient_key: Annotated[
        Path,
        typer.Option("--recipient-key", metavar="KEY", help="The recipient's private age key, mode 0600."),
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why the people must be known; it is logged.")
    ],
    signer: Annotated[
        Path | None,
        typer.Option("--signer", metavar="FILE", help="The sender's signing.pub; others' files are refused."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="FILE", help="The manifest, where it does not lie beside FILE."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="PATH", help="A file to write, mode 0600, instead of stdout."),
    ] = None,
) -> None:
    """Check a sealed file and its manifest, open it, and write who the people are. Works without a site.

    Where there is a site, its audit log says who opened what and why.

    Example: riskstrat reidentify RUN-luton_core-Z90001.csv.age --recipient-key practice.key --reason "weekly MDT"
    """
    from riskstrat.audit import append, refusal
    from riskstrat.exports.opening import check_reason, open_sealed

    site = _site(context)
    facts: dict[str, Any] = {"file_sha256": _hash(file)}
    signer = signer or _own_signer(site)
    with refusal(site, "reidentify", **facts):
        said = check_reason(reason)
        opened = open_sealed(file, recipient_key, manifest=manifest, signer=signer)
    if out is None and opened.facts["content"] == "xlsx":
        raise MisuseError("a workbook is not text.", remedy="name a file: --out PATH")
    if out is not None:
        _check_out(out, site)
    told = ("purpose", "cohort", "list", "run")
    facts |= {name: opened.facts[name] for name in told if name in opened.facts}
    facts |= {name: opened.facts["for"][name] for name in ("recipient", "audience", "area")}

    def log() -> None:
        if site is not None:
            append(site, "reidentify", reason=said, count=opened.rows, **facts)

    if out is None:
        log()
        sys.stdout.write(opened.content.decode("utf-8"))
    else:
        from riskstrat.exports.writing import write_together

        write_together({out: opened.content}, log)
    say(_summary(opened.facts, opened.rows, opened.signer, is_known=signer is not None))
    if out is not None:
        say(f"written to {out}")


def _site(context: typer.Context) -> Site | None:
    """The site, if there is one; a recipient needs none. One that was named must be there."""
    state: State = context.obj
    try:
        return state.site()
    except MisuseError:
        if state.site_path is not None:
            raise
        return None


def _own_signer(site: Site | None) -> Path | None:
    """At a site files are taken to be its own, unless --signer names another sender."""
    from riskstrat.keys import SIGNING_PUBLIC_FILE

    own = site.keys / SIGNING_PUBLIC_FILE if site is not None else None
    return own if own is not None and own.is_file() else None


def _hash(file: Path) -> str | None:
    from riskstrat.runs import file_hash

    return file_hash(file) if file.is_file() else None


def _check_out(out: Path, site: Site | None) -> None:
    from riskstrat.exports.writing import check_place

    if out.exists():
        raise MisuseError("is there already.", file=out, remedy="name a new file.")
    if not out.parent.is_dir():
        raise MisuseError("its folder is not there.", file=out, remedy=f"make it with: mkdir -p {out.parent}")
    if site is not None:
        check_place(out, site)


def _summary(facts: dict[str, Any], rows: int, signer: str, *, is_known: bool) -> str:
    from riskstrat.exports.manifests import people

    trust = "the sender that --signer names" if is_known else "nobody checked whose it is: --signer FILE does"
    return (
        f"{facts['what']}; {people(rows)}, as of {facts['as_of']}, for {facts['for']['recipient']}.\n"
        f"signed by {signer} ({trust}). {facts['note']}"
    )
