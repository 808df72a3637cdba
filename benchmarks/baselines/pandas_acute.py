"""pandas: episodes to provider spells to continuous inpatient spells, and what is counted on them."""

from __future__ import annotations

import pandas as pd

from benchmarks.baselines.acute import POSITIONS, SPELL, Stays
from benchmarks.baselines.knowledge import plain_icd10
from benchmarks.baselines.pandas_inputs import Inputs

DAYS = ("recorded_date", "episode_start", "discharge_date")
CODES = ("admission_method", "source_of_admission", "patient_classification", "discharge_destination")


def stays(inputs: Inputs, people: pd.DataFrame) -> Stays[pd.DataFrame]:
    """Everything about hospital stays that began before as_of."""
    as_of = inputs.day("as_of")
    rows = inputs.dated(
        "acute_episodes",
        "admission_date",
        people,
        *("episode_id", "episode_number", *DAYS),
        categories=("provider_code", "spell_id", *CODES),
    )
    rows = rows[(rows["episode_start"] < as_of) & ~(rows["recorded_date"] >= as_of)].copy()
    rows["spell_day"] = rows["admission_date"].where(rows["spell_id"].isna())
    rows["known_date"] = rows[["admission_date", "episode_start", "recorded_date"]].max(axis=1)
    for name in CODES:
        rows[name] = rows[name].astype("str")
    rows["admission_method"] = rows["admission_method"].str.upper()
    rows = rows.sort_values([*SPELL, "episode_number", "episode_start", "episode_id"], ignore_index=True)
    codes = rows[SPELL].assign(
        provider_code=rows["provider_code"].cat.codes,
        spell_id=rows["spell_id"].cat.codes,
        spell_day=rows["spell_day"].astype("int64"),
    )
    rows["spell"] = (codes != codes.shift()).any(axis=1).cumsum()
    spells = _spells(inputs, rows)
    parts = _parts(inputs, spells)
    return Stays(rows[["episode_id", "person", "spell"]], spells, parts, _cips(inputs, parts))


def _spells(inputs: Inputs, rows: pd.DataFrame) -> pd.DataFrame:
    """Admission fields of the first episode, discharge fields of the last; a person's spells in their order."""
    discharge = ["discharge_date", "discharge_destination"]
    spells = rows.drop_duplicates("spell").set_index("spell")
    spells[discharge] = rows.drop_duplicates("spell", keep="last").set_index("spell")[discharge]
    spells["known_date"] = rows.groupby("spell")["known_date"].min()
    is_known = spells["discharge_date"] < inputs.day("as_of")
    spells[discharge] = spells[discharge].where(is_known)
    classes = inputs.table("reference_patient_classifications")
    regular = classes.loc[classes["is_regular_attender"], "patient_classification"]
    spells["is_regular"] = spells["patient_classification"].isin(regular)
    # a text that is missing comes before all others here, and a day that is missing after them
    spells["id_order"] = spells["spell_id"].cat.codes
    return spells.reset_index().sort_values(
        ["person", "admission_date", "discharge_date", "id_order", "provider_code"], ignore_index=True
    )


def _parts(inputs: Inputs, spells: pd.DataFrame) -> pd.DataFrame:
    """The spells of in-patients, each with the number of its continuous spell."""
    parts = spells[~spells["is_regular"]].copy()
    before = parts.groupby("person")[["discharge_date", "discharge_destination"]].shift()
    evidence = inputs.table("reference_transfer_evidence")

    def is_evidence(codes: pd.Series, field: str) -> pd.Series:
        return codes.isin(evidence.loc[evidence["field"] == field, "code"])

    joins = is_evidence(before["discharge_destination"], "discharge_destination")
    joins |= is_evidence(parts["source_of_admission"], "source_of_admission")
    joins |= is_evidence(parts["admission_method"], "admission_method")
    gap = (parts["admission_date"] - before["discharge_date"]).dt.days
    joins &= gap.between(0, inputs.knowledge.parameter("cips_gap_days"))
    for row in inputs.knowledge.rows("reference_transfer_exceptions"):
        joins &= ~(
            (before["discharge_destination"] == row["discharge_destination"])
            & (parts["source_of_admission"] == row["admission_source"])
            & (parts["admission_method"] == row["admission_method"])
        )
    parts["cips"] = (~joins).cumsum()
    return parts


def _cips(inputs: Inputs, parts: pd.DataFrame) -> pd.DataFrame:
    methods = inputs.table("reference_admission_methods")
    first = ["cips", "person", "episode_id", "admission_date", "admission_method", "known_date"]
    cips = parts.drop_duplicates("cips")[first].set_index("cips")
    cips["discharge_date"] = parts.drop_duplicates("cips", keep="last").set_index("cips")["discharge_date"]
    unplanned = methods.loc[methods["is_unplanned"], "admission_method"]
    cips["is_unplanned"] = cips["admission_method"].isin(unplanned)
    before = cips.groupby("person")["discharge_date"].shift()
    cips["days_since_previous"] = (cips["admission_date"] - before).dt.days
    return cips.reset_index()


def diagnoses(inputs: Inputs, found: Stays[pd.DataFrame]) -> pd.DataFrame:
    """Diagnoses of the spells admitted in the last 24 months: episode, spell, whether primary, and tidied code."""
    recent = found.spells.loc[found.spells["admission_date"] >= inputs.day("start_24m"), "spell"]
    wanted = found.episodes[found.episodes["spell"].isin(recent)]
    rows = inputs.read("acute_episodes", "episode_id", *POSITIONS).merge(wanted, on="episode_id")
    recorded = pd.concat(
        [
            rows.loc[rows[place].notna(), ["episode_id", "person", "spell", place]]
            .rename(columns={place: "code"})
            .assign(is_primary=place == POSITIONS[0])
            for place in POSITIONS
        ],
        ignore_index=True,
    )
    codes = recorded["code"].astype("category").cat
    plain = pd.Series(map(plain_icd10, codes.categories), dtype="str")
    recorded["icd10"] = codes.codes.map(plain).astype("category")
    return recorded[recorded["icd10"].notna()]


def admissions(inputs: Inputs, found: Stays[pd.DataFrame], recorded: pd.DataFrame) -> pd.DataFrame:
    """Unplanned continuous spells by window, and emergency readmissions and discharges."""
    known = inputs.knowledge
    cips = found.cips[found.cips["is_unplanned"]]
    day, year = cips["admission_date"], inputs.day("start_12m")
    then = (day >= inputs.day("two_years_ago")) & (day < inputs.day("a_year_ago"))
    calendar = (day >= inputs.day("last_calendar_year_start")) & (day < inputs.day("last_calendar_year_end"))
    left = (inputs.day("as_of") - cips["discharge_date"]).dt.days
    counted = {
        "unplanned_90d": day >= inputs.day("start_90d"),
        "unplanned_12m": day >= year,
        "unplanned_24m": day >= inputs.day("start_24m"),
        "unplanned_calendar_year": calendar,
        "acsc_12m": (day >= year) & cips["cips"].isin(_acsc(inputs, cips[day >= year], recorded)),
        "readmissions_12m": (day >= year)
        & cips["days_since_previous"].between(0, known.parameter("readmission_days")),
        "unplanned_a_year_ago": then & (cips["known_date"] < inputs.day("a_year_ago")),
        "discharged_14d": (cips["discharge_date"] > day) & left.between(1, 14),
    }
    return pd.DataFrame(counted).groupby(cips["person"]).sum()


def _acsc(inputs: Inputs, recent: pd.DataFrame, recorded: pd.DataFrame) -> pd.Series:
    """The continuous spells whose primary diagnosis is on the list, with its conditions."""
    primary = recorded.loc[recorded["is_primary"], ["episode_id", "icd10"]].astype({"icd10": "str"})
    candidates = recent[["cips", "episode_id"]].merge(primary, on="episode_id")
    listed = {code for code, _ in inputs.knowledge.concepts_of(candidates["icd10"].unique(), "acsc")}
    candidates = candidates[candidates["icd10"].isin(listed)]
    others = recorded.loc[recorded["episode_id"].isin(candidates["episode_id"]), ["episode_id", "icd10"]]
    pairs = candidates.merge(others.astype({"icd10": "str"}), on="episode_id", suffixes=("", "_other"))
    conditions, refused = inputs.table("reference_acsc_conditions"), []
    for (start, rule), rows in conditions.groupby(["primary_icd10_code", "rule"]):
        under = pairs[pairs["icd10"].str.startswith(start)]
        is_met = under["icd10_other"].str.startswith(tuple(rows["other_icd10_code"]))
        met = is_met.groupby(under["cips"]).any()
        refused.append(met.index[met if rule == "exclude" else ~met].to_series())
    return candidates.loc[~candidates["cips"].isin(pd.concat(refused)), "cips"]


def bed_days(inputs: Inputs, found: Stays[pd.DataFrame]) -> pd.DataFrame:
    """Nights of the last 12 months in the provider spells of unplanned continuous spells, each once."""
    unplanned = found.cips.loc[found.cips["is_unplanned"], "cips"]
    parts = found.parts[found.parts["cips"].isin(unplanned)]
    rows = pd.DataFrame(
        {
            "person": parts["person"],
            "first": parts["admission_date"].clip(lower=inputs.day("start_12m")),
            "end": parts["discharge_date"].fillna(inputs.day("as_of")),
        }
    )
    rows = rows[rows["end"] > rows["first"]].sort_values(["person", "first"], kind="stable")
    rows["until"] = rows.groupby("person")["end"].cummax()
    counted = rows.groupby("person")["until"].shift()
    days = (rows["end"] - rows["first"].where(~(counted > rows["first"]), counted)).dt.days.clip(lower=0)
    return days.groupby(rows["person"]).sum().to_frame("bed_days")


def in_hospital(found: Stays[pd.DataFrame]) -> pd.DataFrame:
    """Who has an open spell, and the last discharge that is known."""
    spells = found.spells[~found.spells["is_regular"]]
    discharges = spells["discharge_date"].groupby(spells["person"])
    return pd.DataFrame(
        {
            "has_open_spell": spells["discharge_date"].isna().groupby(spells["person"]).any(),
            "last_discharge_date": discharges.max(),
        }
    )


def hfrs(inputs: Inputs, found: Stays[pd.DataFrame], recorded: pd.DataFrame) -> pd.DataFrame:
    """Hospital Frailty Risk Score in tenths: each 3-character code once, over unplanned stays of 24 months."""
    cips = found.cips
    unplanned = cips.loc[cips["is_unplanned"] & (cips["admission_date"] >= inputs.day("start_24m")), "cips"]
    spells = found.parts.loc[found.parts["cips"].isin(unplanned), "spell"]
    weights = inputs.table("hfrs_weights").set_index("icd10_3char")["points"]
    codes = recorded["icd10"].cat
    starts = codes.codes.map(pd.Series(codes.categories.astype("str")).str[:3]).astype("category")
    rows = pd.DataFrame({"person": recorded["person"], "start": starts})
    rows = rows[recorded["spell"].isin(spells) & starts.isin(weights.index)].drop_duplicates()
    tenths = rows["start"].astype("str").map((weights * 10).round().astype("int64"))
    return tenths.groupby(rows["person"]).sum().to_frame("hfrs_tenths")


def charlson(inputs: Inputs, recorded: pd.DataFrame) -> pd.DataFrame:
    """Charlson's points of the diagnoses of 24 months, the lesser of a pair left out."""
    listed = inputs.knowledge.concepts_of(recorded["icd10"].cat.categories, "charlson")
    concepts = pd.DataFrame(listed, columns=["icd10", "concept"])
    points = inputs.table("score_points").query("score == 'charlson'").set_index("concept")["points"]
    rows = recorded.loc[recorded["icd10"].isin(concepts["icd10"]), ["person", "icd10"]].drop_duplicates()
    has = rows.astype({"icd10": "str"}).merge(concepts, on="icd10")[["person", "concept"]].drop_duplicates()
    hierarchy = inputs.table("reference_charlson_hierarchy")
    outranked = has.merge(hierarchy, left_on="concept", right_on="winner_concept")
    outranked = outranked[["person", "loser_concept"]].rename(columns={"loser_concept": "concept"})
    kept = has.merge(outranked.drop_duplicates(), on=["person", "concept"], how="left", indicator=True)
    kept = kept[kept["_merge"] == "left_only"]
    return kept["concept"].map(points).groupby(kept["person"]).sum().to_frame("charlson_points")
