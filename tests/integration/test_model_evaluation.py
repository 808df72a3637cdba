"""riskstrat model evaluate and card, from a trained model to what leaves the organisation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from typer.testing import CliRunner

from riskstrat.audit import read_entries
from riskstrat.cli import app
from riskstrat.disclosure.store import earlier_releases
from riskstrat.errors import (
    DefinitionError,
    MisuseError,
    NothingPublishedError,
    NotPermittedError,
    RiskstratError,
)
from riskstrat.model.evaluation.card import write_card
from riskstrat.model.evaluation.evaluating import evaluate
from riskstrat.model.frame_files import frames_folder, read_frames
from riskstrat.progress import Progress
from riskstrat.scoring.registry import Model
from riskstrat.site import Site
from tests.fake_evaluation import FRAME, PLAN, fake_site, frame_of, trained, write_frames
from tests.fake_models import replace_text

PEOPLE = 5000
QUIET = Progress(quiet=True)
NUMBER = re.compile(r"(?<![\w.:/-])[+-]?\d+(?:,\d{3})*(?:\.\d+)?%?(?![\w:/-]|\.\d)")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return fake_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def model(site: Site) -> Model:
    return trained(site, frame_of(PEOPLE, dates=3), kinds=("logistic", "boosting"))


@pytest.fixture(scope="module")
def evaluated(site: Site, model: Model) -> Model:
    told = CliRunner().invoke(app, ["--site", str(site.root), "model", "evaluate", model.id])
    assert told.exit_code == 0, told.output
    (model.folder / "told.txt").write_text(told.stdout, encoding="utf-8")
    return model


@pytest.fixture(scope="module")
def evaluation(evaluated: Model) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((evaluated.folder / "evaluation.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def card(site: Site, evaluated: Model) -> str:
    return write_card(site, evaluated.id).markdown


def test_table_has_the_rule_hfrs_and_efi_under_the_model_at_every_capacity(evaluated: Model) -> None:
    told = (evaluated.folder / "told.txt").read_text(encoding="utf-8")
    assert "12 months: 5,000 people of 2025-04-01" in told
    assert "learnt from 2023-04-01, 2024-04-01, temporal split" in told
    whole = told.split("90 days:")[0]
    for score in ("Model (logistic)", "Challenger", '"2 or more admissions" rule', "HFRS alone", "eFI alone"):
        assert whole.count(score) >= 4, score
    assert "* the team's capacity" in whole


def test_everything_of_an_evaluation_lies_beside_the_model_for_its_owner_alone(evaluated: Model) -> None:
    files = ["evaluation.json", "evaluation.html"]
    files += [f"figures/{name}.svg" for name in ("calibration", "ppv", "decision", "decay", "fairness")]
    for file in files:
        path = evaluated.folder / file
        assert path.stat().st_mode & 0o777 == 0o600, file
    svg = (evaluated.folder / "figures" / "ppv.svg").read_text(encoding="utf-8")
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg" role="img"')


def test_evaluation_is_of_this_very_model_and_names_what_it_was_made_from(
    evaluation: dict[str, Any], evaluated: Model, site: Site
) -> None:
    about = json.loads((frames_folder(site) / FRAME / "frames.json").read_text(encoding="utf-8"))
    assert evaluation["model_sha256"] == evaluated.sha256
    assert evaluation["frames"]["sha256"] == about["sha256"]
    assert [one["horizon"] for one in evaluation["horizons"]] == ["12m", "90d"]
    assert all(one["gates"] for one in evaluation["horizons"])
    assert evaluation["policy"] == {"audience": "public", "name": "nnhip", "title": "1 to 5 hidden"}


def test_same_model_frame_plan_and_code_give_the_same_bytes(
    site: Site, evaluated: Model, evaluation: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = evaluation["code_version"]
    monkeypatch.setattr("riskstrat.model.evaluation.evaluating.code_version", lambda: code)
    files = sorted(
        path
        for path in evaluated.folder.rglob("*")
        if path.suffix in (".svg", ".html") or "evaluation" in path.name
    )
    before = [path.read_bytes() for path in files]
    releases = len(list((site.state / "disclosure").glob("*.json")))
    evaluate(site, evaluated.id, progress=QUIET)
    assert [path.read_bytes() for path in files] == before
    assert len(list((site.state / "disclosure").glob("*.json"))) == releases == 1


def numbers_in(content: Any, found: set[int]) -> set[int]:
    """Every whole number from 1 to 5 that stands under a key for people."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name in ("people", "admitted", "listed", "found") and isinstance(value, int | float):
                found |= {value} if 0 < value < 6 else set()
            numbers_in(value, found)
    elif isinstance(content, list):
        for one in content:
            numbers_in(one, found)
    return found


def test_small_counts_leave_neither_as_they_are_nor_as_rates(evaluation: dict[str, Any], site: Site) -> None:
    main = evaluation["horizons"][0]
    assert numbers_in(evaluation, set()) == set()
    hidden = [level for group in main["groups"] for level in group["levels"] if level["found"] is None]
    assert hidden
    assert all(level["true_positive_rate"] is None for level in hidden)
    assert main["disclosure"]["hidden"] > 0
    (release,) = earlier_releases(site, ["people scored | all | all | all"])
    assert release.policy.name == "nnhip"
    assert release.cells["people scored | all | all | all"].value == PEOPLE


def test_nothing_that_leaves_names_a_person(evaluated: Model, site: Site, card: str) -> None:
    keys = set(read_frames(frames_folder(site) / FRAME)["person_id"].to_pylist())
    texts = [path.read_text(encoding="utf-8") for path in evaluated.folder.glob("evaluation.*")]
    for text in [*texts, card]:
        assert not keys & set(re.findall(r"[0-9a-f]{32}", text))


def test_evaluations_and_cards_that_leave_are_on_record(site: Site, evaluated: Model, card: str) -> None:
    entries = [entry.facts for entry in read_entries(site) if entry.facts.get("model") == evaluated.id]
    for action in ("model evaluate", "model card"):
        found = [facts for facts in entries if facts["action"] == action]
        assert found
        assert found[-1]["audience"] == "public"
        assert found[-1]["as_of"] == "2025-04-01"
        assert re.fullmatch(r"[0-9a-f]{64}", found[-1]["file_sha256"])


def leaves(content: Any) -> Iterator[Any]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield str(key)
            yield from leaves(value)
    elif isinstance(content, list | tuple):
        for one in content:
            yield from leaves(one)
    else:
        yield content


def ways_of_writing(value: float) -> set[str]:
    """How a card may write a figure: rounded, as a percentage, with its sign."""
    found = {f"{value:,.{digits}f}" for digits in range(4)} | {f"{value:g}", f"{value:.0f}"}
    found |= {f"{100 * value:.{digits}f}{end}" for digits in range(3) for end in ("", "%")} | {
        f"{100 * value:g}%"
    }
    return found | {f"{value:+.2f}"}


def test_every_number_of_a_card_stands_in_a_file_of_the_model(
    evaluated: Model, site: Site, card: str
) -> None:
    artefacts: list[Any] = [
        json.loads(path.read_text(encoding="utf-8")) for path in evaluated.folder.glob("*.json")
    ]
    artefacts += [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in evaluated.folder.glob("*.yaml")
    ]
    artefacts.append(yaml.safe_load((site.config / "model" / "card.yaml").read_text(encoding="utf-8")))
    artefacts.append(json.loads((frames_folder(site) / FRAME / "frames.json").read_text(encoding="utf-8")))
    known: set[str] = set()
    for leaf in leaves(artefacts):
        if isinstance(leaf, bool) or leaf is None:
            continue
        if isinstance(leaf, int | float):
            known |= ways_of_writing(leaf)
        else:
            known |= set(NUMBER.findall(str(leaf))) | set(DAY.findall(str(leaf)))
            known |= (
                set(re.findall(r"\d+", leaf)) if re.fullmatch(r"\d+[md]|fairness_\w+", str(leaf)) else set()
            )
    words = re.sub(r"\b[0-9a-f]{64}\b|\b\d{8}-[0-9a-f]{10}\b", " ", card)
    written = set(DAY.findall(words)) | set(NUMBER.findall(DAY.sub(" ", words)))
    assert len(written) > 150
    assert written <= known, sorted(written - known)


def test_number_test_would_find_a_number_that_was_typed_by_hand(card: str) -> None:
    assert "-0.61" in NUMBER.findall("the effect is -0.61 in all")
    assert "12.5%" in NUMBER.findall("some 12.5% (of them)")
    assert not NUMBER.findall("H05 and 90d and 10.1136/bmj-2023")


def test_card_has_every_section_every_item_of_tripod_ai_and_the_papers(card: str) -> None:
    for number in range(1, 28):
        assert re.search(rf"^\| {number} \| \S", card, flags=re.MULTILINE), number
    for said in (
        "## What it is for",
        "## Limits",
        "docs/clinical-safety/hazard-log.md",
        "docs/clinical-safety/intended-purpose.md",
        "| H05 | Score read as a decision |",
        "for the site to state: who was asked and what changed",
        "| Stage | candidate |",
        "A death without an event | no event",
    ):
        assert said in card, said


def test_card_is_written_as_markdown_and_as_a_page_where_it_is_asked_for(
    site: Site, evaluated: Model, tmp_path: Path, card: str
) -> None:
    words = ["--site", str(site.root), "model", "card", evaluated.id, "--out", str(tmp_path / "risk.v1")]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines() == [str(tmp_path / "risk.v1.md"), str(tmp_path / "risk.v1.html")]
    assert (tmp_path / "risk.v1.md").read_text(encoding="utf-8") == card
    page = (tmp_path / "risk.v1.html").read_text(encoding="utf-8")
    assert not re.search(r"http|<script|<link|<img|@import|url\(|\bsrc=", page)
    assert page.count("<h2>") == card.count("\n## ")
    refused = CliRunner().invoke(app, [*words[:-1], str(site.state / "card")])
    assert isinstance(refused.exception, MisuseError)


def test_card_of_a_model_that_was_not_evaluated_is_refused_and_the_refusal_is_on_record(
    tmp_path: Path,
) -> None:
    own = fake_site(tmp_path / "site")
    made = trained(own, frame_of(1500))
    with pytest.raises(NotPermittedError, match="has not been evaluated"):
        write_card(own, made.id)
    last = read_entries(own)[-1].facts
    assert (last["action"], last["outcome"]) == ("model card", "refused")


def test_card_with_a_causal_word_is_refused(site: Site, evaluated: Model) -> None:
    path = site.config / "model" / "card.yaml"
    before = path.read_text(encoding="utf-8")
    replace_text(path, "It prompts professional review", "It reduces admissions, prompts professional review")
    with pytest.raises(DefinitionError, match="the model card would say 'reduces'"):
        write_card(site, evaluated.id)
    path.write_text(before, encoding="utf-8")


def test_no_model_and_an_unknown_model_are_named(site: Site, evaluated: Model, tmp_path: Path) -> None:
    with pytest.raises(NothingPublishedError, match="there is no model '20200101-0000000000'"):
        evaluate(site, "20200101-0000000000", progress=QUIET)
    with pytest.raises(NothingPublishedError, match="no model has been trained yet"):
        evaluate(fake_site(tmp_path / "other"), "latest", progress=QUIET)


def test_audience_from_whom_nothing_is_hidden_is_refused(tmp_path: Path) -> None:
    own = fake_site(tmp_path / "site", {"audience: public": "audience: analyst"})
    made = trained(own, frame_of(1500))
    with pytest.raises(DefinitionError, match="'analyst' has no policy that hides small counts"):
        evaluate(own, made.id, progress=QUIET)


def test_model_that_was_changed_on_disk_is_not_judged(tmp_path: Path) -> None:
    own = fake_site(tmp_path / "site")
    made = trained(own, frame_of(1500))
    (made.folder / "policy.yaml").write_text("title: another\n", encoding="utf-8")
    with pytest.raises(RiskstratError, match="is not what was trained"):
        evaluate(own, made.id, progress=QUIET)


def test_without_an_earlier_date_a_random_split_has_to_be_asked_for_and_fails_the_approval(
    tmp_path: Path,
) -> None:
    own = fake_site(tmp_path / "site")
    made = trained(own, frame_of(2500, dates=1))
    with pytest.raises(MisuseError, match="--allow-random-split"):
        evaluate(own, made.id, progress=QUIET)
    found = evaluate(own, made.id, allow_random=True, progress=QUIET).evaluation["horizons"][0]
    assert found["split"]["kind"] == "random"
    gates = {gate["name"]: gate["passed"] for gate in found["gates"]}
    assert gates["by_time"] is False
    assert found["decay"] == []


def test_horizon_that_cannot_be_judged_says_why_and_stands_against_the_approval(tmp_path: Path) -> None:
    own = fake_site(tmp_path / "site")
    table = frame_of(2500, dates=2)
    made = trained(own, table)
    place = table.schema.get_field_index("label_90d")
    is_new = pc.equal(table["index_date"], pa.scalar(max(table["index_date"].to_pylist())))
    labels = pc.if_else(is_new, table["label_90d"], pa.scalar(None, pa.bool_()))
    write_frames(own, table.set_column(place, "label_90d", labels))
    found = evaluate(own, made.id, progress=QUIET).evaluation
    assert "left_out" not in found["horizons"][0]
    other = found["horizons"][1]
    assert "so a test by time is not possible" in other["left_out"]
    assert [gate["passed"] for gate in other["gates"]] == [False]
    assert "Not judged: no index date lies" in (made.folder / "evaluation.html").read_text(encoding="utf-8")


def test_capacity_of_the_team_is_a_choice_of_the_site(tmp_path: Path) -> None:
    own = fake_site(tmp_path / "site", {"share: 0.02": "share: 0.03"})
    made = trained(own, frame_of(2500))
    found = evaluate(own, made.id, progress=QUIET).evaluation["horizons"][0]
    rows = found["scores"]["model"]["capacities"]
    assert [row["share"] for row in rows if row["is_team"]] == [0.03]
    assert len(rows) == 5
    assert (own.root / PLAN).is_file()
