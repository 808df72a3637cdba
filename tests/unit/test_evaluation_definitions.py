"""config/model/evaluation.yaml and card.yaml: what ships is consistent, and a mistake is named with its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskstrat.definitions.contracts import load_contract
from riskstrat.definitions.model_card import load_card_plan
from riskstrat.definitions.model_evaluation import check_features, load_evaluation_plan
from riskstrat.errors import DefinitionError
from riskstrat.model.evaluation.wording import refuse_causal
from tests.fake_models import edited_copy

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "config" / "model" / "evaluation.yaml"
CARD = ROOT / "config" / "model" / "card.yaml"


def test_shipped_plan_reads_features_that_exist_and_has_the_capacities_that_were_asked_for() -> None:
    plan = load_evaluation_plan(PLAN)
    check_features(
        plan, [column.name for column in load_contract(ROOT / "data_contracts" / "features.yaml").columns]
    )
    assert {0.005, 0.01, 0.02, 0.05, plan.team_share} == set(plan.shares)
    assert list(plan.shares) == sorted(plan.shares)
    assert [group.name for group in plan.groups] == [
        *("imd_quintile", "ethnicity", "sex", "age_band", "practice", "pcn")
    ]
    assert plan.decay_months == (3, 6, 12, 24)
    assert plan.gates.highest_auroc == 0.87
    assert plan.gates.inside_list == (0.9, 1.1)


def test_team_capacity_joins_the_other_capacities_in_order(tmp_path: Path) -> None:
    plan = load_evaluation_plan(edited_copy(tmp_path, PLAN, "share: 0.02", "share: 0.015"))
    assert plan.shares == (0.005, 0.01, 0.015, 0.02, 0.05)


def test_ethnic_groups_of_the_plan_have_every_code_of_the_feature_once() -> None:
    group = load_evaluation_plan(PLAN).group("ethnicity")
    text = (ROOT / "data_contracts" / "features.yaml").read_text(encoding="utf-8")
    codes = re.search(r"name: ethnic_category.*?validValues: \[(.*?)\]", text, flags=re.DOTALL)
    assert codes
    assert set(group.values) == {code.strip(' "') for code in codes[1].split(",")}
    assert group.values["Z"] == group.values["99"] == "unknown"


def test_every_anchor_has_a_source() -> None:
    anchors = load_evaluation_plan(PLAN).anchors
    assert {"SPARRA v4", "QAdmissions", "PARR-30", "eFI2", "HFRS"} <= {anchor.model for anchor in anchors}
    assert all(anchor.source for anchor in anchors)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rule: two_or_more", "rule: three_or_more", "'three_or_more' is not there"),
        ("left_out: pcn", "left_out: town", "'town' is not there"),
        ("within: pcn", "within: town", "'town' is not there"),
        ("  two_or_more:", "  model:", "a comparator cannot be called model"),
        ("share: 0.02", "share: 2", "share must lie between 0 and 1"),
        ("[0.005, 0.01", "[0.005, 1.5", "capacities must lie between 0 and 1"),
        ("inside_list: [0.9, 1.1]", "inside_list: [1.1, 0.9]", "a lower and a higher number"),
        ("person_folds: 5", "person_folds: 1", "person_folds must be 2 or more"),
        ("resamples: 300", "resamples: 5", "resamples must be 50 or more"),
        ("confidence: 0.95", "confidence: high", "confidence must be a number"),
        ("White: [A, B, C]", "White: [A, B, D]", "has the code D twice"),
        ("decay_months: [3, 6, 12, 24]", "decay_months: 12", "decay_months must be a list of numbers"),
        ("at_least: 2", "atleast: 2", "unknown key 'atleast'"),
    ],
)
def test_mistakes_in_the_plan_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(said)):
        load_evaluation_plan(edited_copy(tmp_path, PLAN, old, new))


def test_plan_that_reads_something_that_is_no_feature_is_refused(tmp_path: Path) -> None:
    plan = load_evaluation_plan(edited_copy(tmp_path, PLAN, "feature: hfrs}", "feature: hfrs_score}"))
    with pytest.raises(DefinitionError, match="'hfrs_score' is not a feature"):
        check_features(
            plan, ["unplanned_admissions_12m"] + [name for name in plan.features if name != "hfrs_score"]
        )


def test_card_names_all_27_items_of_tripod_ai_in_order() -> None:
    plan = load_card_plan(CARD)
    assert [item.item for item in plan.tripod] == [str(number) for number in range(1, 28)]
    assert {item.item for item in plan.tripod if item.site} == {"17", "18", "19"}


def test_hazards_of_the_card_stand_in_the_hazard_log_under_the_same_title() -> None:
    plan = load_card_plan(CARD)
    log = (ROOT / plan.hazard_log).read_text(encoding="utf-8")
    titles = dict(re.findall(r"^### (H\d\d) (.+)$", log, flags=re.MULTILINE))
    assert (ROOT / plan.intended_purpose).is_file()
    assert plan.hazards
    for one in plan.hazards:
        assert titles[one.hazard] == one.title


def test_words_of_the_card_hold_no_figure() -> None:
    for section in load_card_plan(CARD).sections:
        assert not re.search(r"\d", " ".join((section.title, *section.text))), section.name


def literals(node: ast.AST) -> Iterator[str]:
    """The texts of a module, without the ways in which numbers are formatted."""
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Constant) and isinstance(child.value, str):
                yield child.value
            elif isinstance(child, ast.AST) and field != "format_spec":
                yield from literals(child)


def test_code_and_template_of_the_card_hold_no_figure() -> None:
    room = ROOT / "src" / "riskstrat" / "model" / "evaluation"
    modules = [
        ast.parse((room / f"card_{name}.py").read_text(encoding="utf-8"))
        for name in ("tables", "performance")
    ]
    texts = [re.sub("SHA-256|sha256|log1p", "", text) for tables in modules for text in literals(tables)]
    assert len(texts) > 150
    assert [text for text in texts if re.search(r"\d", text)] == []
    template = (room / "card.html.j2").read_text(encoding="utf-8").split("<body>")[1]
    assert not re.search(r"\d", re.sub(r"</?h\d", "", template))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('item: "19", topic: Patient', 'item: "20", topic: Patient', "items 1 to 27, each once and in order"),
        ("section: life}", "section: afterlife}", "must name a section of the card"),
        ("topic: Title, section: summary", "topic: Title", "must name a section of the card"),
        ("  limits:\n", "  limitations:\n", "unknown key 'limitations'"),
    ],
)
def test_mistakes_in_the_card_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(DefinitionError, match=re.escape(said)):
        load_card_plan(edited_copy(tmp_path, CARD, old, new))


@pytest.mark.parametrize("word", ["reduces", "Prevents", "prevention", "averted", "impact"])
def test_causal_words_are_refused_in_generated_texts(word: str) -> None:
    words = load_evaluation_plan(PLAN).causal_words
    with pytest.raises(DefinitionError, match=f"would say '{word}'"):
        refuse_causal(f"<p>The list {word} admissions.</p>", words, "the page")


def test_causal_words_in_styles_and_drawings_are_no_text() -> None:
    page = "<style>.impact { color: red }</style><svg><title>impact</title></svg><p class='impact'>Fine.</p>"
    assert refuse_causal(page, ["impact"], "the page") == page
