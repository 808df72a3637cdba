"""config/model: what a model may know is named, and a mistake is refused with its place."""

from __future__ import annotations

import pytest

from riskstrat.definitions.cohorts import PLACEHOLDER
from riskstrat.definitions.model import load_model_definition
from riskstrat.definitions.model_evaluation import load_evaluation_plan
from riskstrat.errors import DefinitionError
from riskstrat.language import compile_expression
from tests.fake_models import FEATURES, ROOT, definition, set_policy

SHIPPED = load_model_definition(ROOT / "config" / "model", FEATURES)
# By name: a predictor that is taken back in needs a decision of its own, and a line in predictors.yaml that says why.
NEVER = (
    *("person_id", "practice_code", "pcn_code", "neighbourhood_code", "ethnic_category", "case_manager"),
    *("has_care_plan", "is_known_to_team", "five_questions_last_asked_date", "medication_reviewed_12m"),
    *("flu_vaccine_this_season", "is_inpatient"),
)
OPTIONAL = {
    "gp_contacts",
    "agency_contacts",
    "social_care_services",
    "care_plans",
    "assessments",
    "community_caseload",
}


def test_no_identifier_place_ethnicity_or_deed_of_a_team_is_a_predictor():
    assert set(NEVER) <= set(FEATURES)
    assert not set(NEVER) & set(SHIPPED.names)


def test_no_predictor_rests_on_an_extract_that_may_be_absent():
    for name in SHIPPED.names:
        assert not OPTIONAL & set(FEATURES[name].about["requires"]), name


def test_every_sentence_speaks_of_the_predictors_that_stand_behind_it():
    types = {name: column.sql_type for name, column in FEATURES.items()}
    for reason in SHIPPED.reasons:
        behind = {predictor.name for predictor in SHIPPED.predictors if predictor.reason == reason.name}
        for saying in reason.says:
            condition = compile_expression(saying.when, types)
            named = {*PLACEHOLDER.findall(saying.text), *condition.columns}
            assert named <= behind, saying.text


def test_no_sentence_is_about_causes():
    words = load_evaluation_plan(ROOT / "config" / "model" / "evaluation.yaml").causal_words
    spoken = {word for reason in SHIPPED.reasons for one in reason.says for word in one.text.lower().split()}
    assert not spoken & {*words, "because", "due", "caused", "leads", "raises"}


WRONG = {
    "not a feature": ("  falls_12m: {", "  falls_13m: {", "falls_13m", "is not a feature"),
    "type that the transform does not take": (
        *("has_copd: {transform: flag", "has_copd: {transform: log1p"),
        *("has_copd", "is of type boolean, which log1p does not take"),
    ),
    "any text as a category": (
        *("  sex: {transform: category, sign: any}", "  practice_code: {transform: category, sign: any}"),
        *("practice_code", "may hold any text, as an identifier or a place does"),
    ),
    "category with a sign": (
        *("sex: {transform: category, sign: any}", "sex: {transform: category, sign: increasing}"),
        *("sex", "a category neither rises nor falls"),
    ),
    "knots that do not rise": ("knots: [1, 5, 10]", "knots: [1, 10, 5]", "imd_decile", "knots must rise"),
    "one knot": ("knots: [1, 5, 10]", "knots: [1]", "imd_decile", "two numbers or more"),
    "spline without knots": ("knots: [1, 5, 10], ", "", "imd_decile", "two numbers or more"),
    "knots that are no numbers": ("knots: [1, 5, 10]", "knots: [1, five, 10]", "imd_decile", "two numbers or more"),
    "negative knot of a logarithm": (
        *("knots: [0, 1, 3, 8]", "knots: [-1, 1, 3]"),
        *("unplanned_admissions_24m", "at 0 or above"),
    ),
    "knots of a flag": (
        *("has_copd: {transform: flag", "has_copd: {knots: [0, 1], transform: flag"),
        *("has_copd", "a flag has no knots"),
    ),
    "unknown transform": ("has_copd: {transform: flag", "has_copd: {transform: bool", "has_copd", "none of the words"),
    "unknown key": (
        *("has_copd: {transform", "has_copd: {transfrom: flag, transform"),
        *("transfrom", "unknown key 'transfrom'"),
    ),
    "reason that is not there": ("reason: copd}", "reason: lungs}", "copd", "no predictor has this reason"),
    "brace that is no placeholder": ("aged {age}", "aged {Age}", "age", "is no placeholder"),
    "placeholder that is no feature": ("aged {age}", "aged {years}", "age", "'years' is not a feature"),
    "semicolon in a sentence": ("text: COPD", "text: COPD; asthma", "copd", "a semicolon, which separates"),
    "condition that cannot be understood": (
        *("when: age >= 65", "when: age >> 65"),
        *(None, "the operator >> is not allowed"),
    ),
    "decimals of a word": ("aged {age}", "aged {age_band:1}", "age", "age_band has no decimals"),
    "group that is none of the five": ("m: mobility", "m: mobile", "falls", "none of the words"),
    "nobody signed": ("author: riskstrat", "author: ''", "review", "author must be text"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_mistake_is_refused_with_its_place_and_a_remedy(tmp_path, wrong):
    old, new, column, what = wrong
    with pytest.raises(DefinitionError) as refused:
        definition(tmp_path, {old: new})
    assert what in refused.value.what
    assert refused.value.column == column
    assert str(refused.value.file).endswith("predictors.yaml")
    assert refused.value.remedy


def test_a_model_without_a_required_predictor_is_refused(tmp_path):
    definition(tmp_path)
    path = tmp_path / "predictors.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(", required: true", ""), encoding="utf-8")
    with pytest.raises(DefinitionError, match="no predictor is required"):
        load_model_definition(tmp_path, FEATURES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("learning_rate", 0), ("held_out_share", 1), ("least_events", 0.5)),
        *(("patience", "many"), ("most_unknown_rise", "true")),
    ],
)
def test_a_value_of_the_policy_that_cannot_be_is_refused(tmp_path, name, value):
    definition(tmp_path)
    set_policy(tmp_path / "policy.yaml", **{name: value})
    with pytest.raises(DefinitionError) as refused:
        load_model_definition(tmp_path, FEATURES)
    assert refused.value.column == name


def test_hashes_tell_one_definition_from_another(tmp_path):
    changed = definition(tmp_path, {"knots: [1, 5, 10]": "knots: [1, 6, 10]"})
    assert changed.hashes["predictors.yaml"] != SHIPPED.hashes["predictors.yaml"]
    assert changed.predictors != SHIPPED.predictors
