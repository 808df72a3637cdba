"""The model card: Markdown and one page, made of a model's own files and of ``config/model/card.yaml``.

No figure is written by hand: every number in a card stands in one of those files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from riskstrat.audit import append, refusal
from riskstrat.definitions.contracts import load_contract
from riskstrat.definitions.disclosure import Policy
from riskstrat.definitions.everything import FEATURES
from riskstrat.definitions.model import load_model_definition
from riskstrat.definitions.model_card import FILE as CARD_FILE
from riskstrat.definitions.model_card import Section, load_card_plan
from riskstrat.definitions.model_evaluation import FILE as PLAN_FILE
from riskstrat.definitions.model_evaluation import load_evaluation_plan
from riskstrat.documents.tables import Table, markdown
from riskstrat.errors import NotPermittedError
from riskstrat.model.evaluation.artefacts import Artefacts
from riskstrat.model.evaluation.card_tables import tables_of, tripod_table
from riskstrat.model.evaluation.evaluating import policy_of
from riskstrat.model.evaluation.page import environment
from riskstrat.model.evaluation.wording import refuse_causal
from riskstrat.model.frame_files import ABOUT as FRAME_ABOUT
from riskstrat.model.frame_files import frames_folder
from riskstrat.model.promotion import read_evaluation
from riskstrat.runs import file_hash
from riskstrat.scoring.persistence import load_model
from riskstrat.scoring.registry import ABOUT, EVALUATION, STATUS, Model, find_model
from riskstrat.site import Site

ACTION = "model card"


@dataclass(frozen=True)
class Card:
    """A card ready to be written; ``sha256`` is the hash of its Markdown."""

    model: str
    markdown: str
    html: str

    @property
    def sha256(self) -> str:
        """The hash that the audit log keeps."""
        return hashlib.sha256(self.markdown.encode()).hexdigest()


def write_card(site: Site, name: str) -> Card:
    """Make the card of an evaluated model and put on record that it leaves.

    Raises NothingPublishedError where there is no such model, NotPermittedError where it was not evaluated,
    DefinitionError where a text would claim an effect.
    """
    model = find_model(site, name)
    plan = load_evaluation_plan(site.config / PLAN_FILE)
    audience = plan.audience
    with refusal(site, ACTION, model=model.id, audience=audience):
        found = read_artefacts(site, model, policy_of(site, plan))
        if found.evaluation["policy"]["audience"] != audience:
            raise NotPermittedError(
                f"the evaluation was made for the audience {found.evaluation['policy']['audience']}.",
                file=model.folder / EVALUATION,
                remedy=f"evaluate the model again for {audience}: riskstrat model evaluate {model.id}",
            )
    card = make_card(model, found)
    for text in (card.markdown, card.html):
        refuse_causal(text, plan.causal_words, "the model card")
    append(
        site,
        ACTION,
        model=model.id,
        audience=audience,
        as_of=max(found.main["split"]["test_dates"]),
        file_sha256=card.sha256,
    )
    return card


def read_artefacts(site: Site, model: Model, policy: Policy) -> Artefacts:
    """Every file that a card speaks of. The frame's own file may be gone; what is copied elsewhere then has to do."""
    evaluation = read_evaluation(model)
    columns = load_contract(site.data_contracts / f"{FEATURES}.yaml").columns
    fitted = load_model(model.folder, horizon=model.about["horizons"][0])
    return Artefacts(
        about=model.about,
        status=model.status,
        evaluation=evaluation,
        frame=_frame(site, evaluation, model),
        definition=load_model_definition(model.folder, {column.name: column for column in columns}),
        effects=getattr(fitted, "effects", ()),
        words=load_card_plan(site.config / CARD_FILE),
        policy=policy,
    )


def make_card(model: Model, found: Artefacts) -> Card:
    """The card of these artefacts; the same artefacts give the same bytes."""
    words = found.words
    parts = [(section, tables_of(section.name, found)) for section in words.sections]
    hashes = _hashes(model, found)
    index = tripod_table(words)
    title = f"{words.title}: {model.id}"
    html = (
        environment()
        .get_template("card.html.j2")
        .render(title=title, parts=parts, index=index, hashes=hashes, model=model.id)
    )
    return Card(model.id, _markdown(title, parts, index, hashes), html)


def _frame(site: Site, evaluation: Mapping[str, Any], model: Model) -> Mapping[str, Any]:
    path = frames_folder(site) / str(evaluation["frames"]["id"]) / FRAME_ABOUT
    if path.is_file():
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    return {"outcome": model.about["outcome"]}


def _hashes(model: Model, found: Artefacts) -> Table:
    """Which files the card was made of."""
    rows = [
        *((name, file_hash(model.folder / name)) for name in (ABOUT, STATUS, EVALUATION)),
        *((name, str(digest)) for name, digest in sorted(found.about["files"].items())),
        (f"config/{CARD_FILE.as_posix()}", found.words.sha256),
        (str(found.evaluation["plan"]["file"]), str(found.evaluation["plan"]["sha256"])),
    ]
    return Table("Files behind this card", ("File", "SHA-256"), tuple(rows), numeric=(False, False))


def _markdown(title: str, parts: list[tuple[Section, tuple[Table, ...]]], index: Table, hashes: Table) -> str:
    lines = [f"# {title}", ""]
    for section, tables in parts:
        lines += [f"## {section.title}", ""]
        for text in section.text:
            lines += [text, ""]
        for table in tables:
            lines += markdown(table)
    for table in (index, hashes):
        lines += [f"## {table.title}", "", *markdown(table)[2:]]
    return "\n".join(lines).rstrip() + "\n"
