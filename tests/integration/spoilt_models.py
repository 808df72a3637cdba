"""What makes an approved model one that no run uses: changes to its files, its record and its definitions."""

from __future__ import annotations

from collections.abc import Callable

from riskstrat.scoring.registry import Model, write_status
from riskstrat.site import Site
from tests.fake_models import replace_text


def audit_forgets(_: Site, model: Model) -> None:
    log = model.folder.parents[1] / "audit" / "log.jsonl"
    kept = [line for line in log.read_text(encoding="utf-8").splitlines() if "model approve" not in line]
    log.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def status_by_hand(_: Site, model: Model) -> None:
    write_status(model, {**model.status, "kind": "boosting"})


def about_by_hand(_: Site, model: Model) -> None:
    replace_text(model.folder / "model.json", '"expires_on": "2027-04-01"', '"expires_on": "2047-04-01"')


def about_and_status_by_hand(site: Site, model: Model) -> None:
    about_by_hand(site, model)
    changed = Model(model.id, model.folder)
    write_status(changed, {**changed.status, "sha256": changed.sha256})


def wording_by_hand(_: Site, model: Model) -> None:
    replace_text(model.folder / "predictors.yaml", "aged {age}", "old at {age}")


def trees_gone(_: Site, model: Model) -> None:
    (model.folder / "boosting_12m.skops").unlink()


UNFIT: dict[str, tuple[Callable[[Site, Model], None], str]] = {
    "approval is not in the audit log": (audit_forgets, "the audit log has no approval of it"),
    "another kind than was approved": (status_by_hand, "the audit log has no approval of it"),
    "later expiry written by hand": (about_by_hand, "model.json is not what was trained"),
    "later expiry and hash by hand": (about_and_status_by_hand, "the audit log has no approval of it"),
    "other words written by hand": (wording_by_hand, "predictors.yaml is not what was trained"),
    "a file that is gone": (trees_gone, "boosting_12m.skops is not what was trained"),
}


CHANGED: dict[str, tuple[str, str, str, str]] = {
    "a code list": (
        *("config/codelists/charlson.csv", "\n", "\n\n"),
        "config/codelists/charlson.csv changed since training",
    ),
    "weights of a score": (
        *("config/scores/hfrs_weights.csv", "\n", "\n\n"),
        "config/scores/hfrs_weights.csv changed since training",
    ),
    "the window of a feature": (
        *("data_contracts/features.yaml", "{property: window, value: 90 days}", "{property: window, value: 100 days}"),
        "the feature unplanned_admissions_90d is no longer the same",
    ),
}  # fmt: skip
