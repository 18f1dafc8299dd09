"""The answer comes home: through payload, Response and lineage to the path, line and value that the sender wrote."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
from lxml import etree

import broker
from broker.answers.history import Answered
from broker.answers.render import AtWindow
from broker.answers.way_back import Notification, WayBack
from broker.answers.way_back import load as load_home
from broker.answers.wco_response import read
from broker.catalogue import load as load_catalogue
from broker.line.process import process
from broker.model.answers import AnswerError, chain_of
from broker.model.documents import Message
from broker.model.errors import Misconfigured
from broker.model.findings import Finding
from broker.model.ids import MessageId
from broker.paths import data_root
from broker.windows.decide import windows
from broker.windows.respond import reply
from broker.workbench.samples import read_sample

if TYPE_CHECKING:
    from broker.answers.way_back import Rendered
    from broker.model.answers import Answer
    from broker.model.outcomes import Catalogue
    from broker.windows.decide import Window

pytestmark = pytest.mark.proof

MAPPINGS = data_root() / "mappings"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
AT = "2026-06-01T12:00:00.000Z"
ID = MessageId("5" * 32)


@dataclass(frozen=True)
class Case:
    """One sample of one window's rule."""

    window: str
    file: Path

    def __str__(self) -> str:
        return f"{self.window}-{self.file.stem}"


@cache
def _catalogue() -> Catalogue:
    return load_catalogue()


@cache
def _windows() -> dict[str, Window]:
    return windows(_catalogue())


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return _catalogue()


@pytest.fixture(scope="module")
def acknowledgement() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(data_root() / "xsd" / "acknowledgement" / "1.0" / "acknowledgement.xsd"))


@pytest.fixture(scope="module")
def home(catalogue) -> WayBack:
    return load_home(data_root(), catalogue)


def cases() -> list[Case]:
    rules = {p.code: {r.id for r in p.rules} for p in _catalogue().windows()}
    files = sorted(MAPPINGS.glob("participants/*/samples/*"))
    return [Case(f.parents[1].name, f) for f in files if f.stem in rules.get(f.parents[1].name, ())]


def answered(case: Case, home: WayBack, catalogue: Catalogue) -> tuple[bytes, str, Answer]:
    """The document, where it is wrong, and the verdict as it was read from the bytes the window sent."""
    sample = read_sample(case.file, MAPPINGS)
    outcome = process(Message(ID, sample.content), catalogue)
    assert outcome.payload is not None, [(f.code, f.pointer) for f in outcome.findings]
    record = reply(_windows()[case.window], outcome.payload.content, home.pointers, NOW)[-1]
    return sample.content, sample.points, read(record.content, case.window, record.id)[-1]


def tell(
    home: WayBack, answer: Answer, content: bytes | None, sender: str = "co-ica", standing: str = "", **more: str
) -> Rendered:
    meaning = home.meaning(answer)
    fact = Answered(at=AT, answer=answer, state=meaning.state, why=meaning.why)
    state = standing or meaning.state
    return home(Notification("answer", ID, sender, "", state, answer.window, AT, (), fact, content, **more))


@pytest.mark.parametrize("case", cases(), ids=str)
def test_every_rejection_names_its_rule_and_the_place_in_the_sender_s_document(case, home, catalogue, acknowledgement):
    content, points, answer = answered(case, home, catalogue)
    told = tell(home, answer, content)
    finding = next(f for f in told.findings if f.rule == case.file.stem)
    assert finding.pointer == points
    assert finding.line
    assert finding.messages["en"]
    assert finding.text
    root = etree.fromstring(told.content)
    if root.tag.endswith("}Acknowledgement"):
        acknowledgement.assertValid(root)


# --- what else may happen ---------------------------------------------------------------------------------------------


def one_case() -> Case:
    return next(c for c in cases() if c.window == "pe-vuce" and c.file.stem == "PE-AGREEMENT")


def test_without_the_document_the_answer_goes_home_with_the_window_s_own_pointer(home, catalogue):
    _, _, answer = answered(one_case(), home, catalogue)
    for told in (tell(home, answer, None), tell(home, answer, b"<gone/>")):
        assert told.state == "rejected"
        assert told.findings[0].rule == "PE-AGREEMENT"
        assert told.findings[0].payload_pointer.startswith("42A/")
        assert told.findings[0].pointer == ""
        assert told.findings[-1].code == "answer.source-gone"


def test_another_mapping_than_the_one_that_made_the_payload_finds_no_places(home, catalogue):
    content, points, answer = answered(one_case(), home, catalogue)
    label = next(t.mapping.id for name, t in catalogue.document_types.items() if name == "origin/aladi-cod-1.8")
    assert tell(home, answer, content, mapping=label).findings[0].pointer == points
    changed = tell(home, answer, content, mapping="origin/aladi-cod-1.8@0+0")
    assert [f.code for f in changed.findings][-1] == "answer.source-gone"
    assert changed.findings[0].pointer == ""


@pytest.mark.parametrize("chain", ["", "07B/53A#1", "kt3#2:ueF5", "42A/67A/68A#99/23A:137", "42A"])
def test_a_pointer_that_leads_nowhere_is_no_accident(chain, home, catalogue):
    content, _, answer = answered(one_case(), home, catalogue)
    odd = replace(answer, errors=(AnswerError("X1", "no", chain_of(chain)),), remarks=())
    (finding,) = tell(home, odd, content).findings
    assert finding.payload_pointer == chain
    assert finding.messages["es"].startswith("La ventanilla objeta")


def test_a_code_that_no_table_knows_is_told_as_such(home, catalogue):
    content, _, answer = answered(one_case(), home, catalogue)
    told = tell(home, replace(answer, function_code="77", rejected="", statuses=(), errors=()), content)
    assert told.state == "registered"
    assert [(f.code, f.severity) for f in told.findings] == [("answer.code", "warning")]
    assert "77" in told.findings[0].text


def test_an_answer_that_does_not_change_where_the_document_stands_says_so(home, catalogue):
    content, _, answer = answered(one_case(), home, catalogue)
    early = replace(answer, function_code="02", rejected="", statuses=(), errors=())
    assert home.meaning(early).state == "registered"
    told = tell(home, early, content, standing="accepted")
    assert told.state == "accepted"
    assert etree.fromstring(told.content).find("{*}State").get("code") == "accepted"
    assert [(f.code, f.severity, f.text) for f in told.findings] == [("answer.standing", "warning", "02: registered")]


def test_a_sender_hears_the_languages_of_its_profile_first_and_always_english_and_spanish(home, catalogue):
    content, _, answer = answered(one_case(), home, catalogue)
    chinese = next(code for code, p in catalogue.participants.items() if "zh" in p.languages)
    (refusal,) = home(Notification("refusal", ID, chinese, "", "refused", "", AT, (Finding("content.depth"),))).findings
    assert list(refusal.messages) == list(dict.fromkeys((*catalogue.participants[chinese].languages, "en", "es")))
    assert set(tell(home, answer, content, sender="nobody").findings[0].messages) == {"en", "es"}


def test_the_form_is_that_of_the_sender_s_profile_else_of_the_document_else_json(home, catalogue):
    content, _, answer = answered(one_case(), home, catalogue)
    by_profile = next(code for code, p in catalogue.participants.items() if p.answers.form == "wco-response")
    assert etree.QName(etree.fromstring(tell(home, answer, content, sender=by_profile).content)).localname == "MetaData"
    own = etree.QName(etree.fromstring(tell(home, answer, content, sender="nobody").content)).localname
    assert own == "Acknowledgement"
    stranger = home(
        Notification("refusal", ID, "nobody", "", "refused", "", AT, (Finding("type.unknown"),), None, b"<x/>")
    )
    assert (stranger.content_type, orjson.loads(stranger.content)["findings"][0]["code"]) == (
        "application/json",
        "type.unknown",
    )


def test_every_refused_sample_is_told_with_code_place_and_sentences(home, catalogue):
    told_rules = 0
    for file in sorted(MAPPINGS.glob("documents/*/*/samples/refused-*.xml")):
        content = file.read_bytes()
        outcome = process(Message(ID, content), catalogue)
        kind = str(outcome.document_type or "")
        told = home(Notification("refusal", ID, "co-ica", kind, "refused", "", AT, outcome.findings, None, content))
        assert [(f.code, f.pointer, f.line) for f in told.findings] == [
            (f.code, f.pointer, f.line) for f in outcome.findings
        ]
        assert all({"en", "es"} <= set(f.messages) for f in told.findings), file.name
        told_rules += sum(bool(f.rule) for f in told.findings)
    assert told_rules > 0


@pytest.mark.parametrize("state", ["received", "not_routed", "failed", "overdue", "no_answer"])
def test_notices_and_receipts_in_the_sender_s_form(state, home):
    content = (MAPPINGS / "participants" / "pe-vuce" / "samples" / "PE-01.xml").read_bytes()
    kind = "receipt" if state == "received" else "notice"
    windows = (AtWindow("us-ace", "not_routed", "takes no certificates of origin"),)
    told = home(Notification(kind, ID, "co-ica", "", state, "pe-vuce", AT, (), None, content, "", "", windows))
    root = etree.fromstring(told.content)
    assert (root.get("kind"), root.find("{*}State").get("code")) == (kind, state)
    assert root.findtext("{*}At") == "takes no certificates of origin"


def test_a_repeat_has_the_same_bytes(home, catalogue):
    content, _, answer = answered(one_case(), home, catalogue)
    assert tell(home, answer, content) == tell(home, answer, content)


def test_a_form_dialect_or_state_that_does_not_exist_is_found_when_it_is_loaded(catalogue):
    vuce, agency = catalogue.participants["pe-vuce"], catalogue.participants["co-ica"]
    wrong = {
        "form.*telegram": {"co-ica": replace(agency, answers=replace(agency.answers, form="telegram"))},
        "dialect.*klingon": {"pe-vuce": replace(vuce, answers=replace(vuce.answers, dialect="klingon"))},
        "states.*stuck": {"pe-vuce": replace(vuce, answers=replace(vuce.answers, states={"01": "stuck"}))},
    }
    for message, change in wrong.items():
        with pytest.raises(Misconfigured, match=message):
            load_home(data_root(), replace(catalogue, participants={**catalogue.participants, **change}))


def test_every_code_that_the_broker_knows_has_sentences(home):
    """Codes as they stand in the source, in the families that sentences.toml has."""
    families = {code.partition(".")[0] for code in home.sentences}
    source = "".join(file.read_text() for file in Path(broker.__file__).parent.rglob("*.py"))
    codes = {code for code in re.findall(r'"([a-z]+\.[a-z-]+)"', source) if code.partition(".")[0] in families}
    assert len(codes) > 30
    for code in codes:
        assert set(home._sentences(code)) == {"en", "es", "zh"}, code
    assert all(set(sentences) == {"en", "es", "zh"} for sentences in home.sentences.values())


# --- pointers that leave something open -------------------------------------------------------------------------------

TWO_ITEMS = (MAPPINGS / "documents/origin/aladi-cod-1.8/samples/a18-complete.xml").read_bytes()
GOODS = "/ns1:Envelope/ns1:CertOrigin/CODEH/CODExporter/COD/FormA18/GoodsList"


def objected(home: WayBack, chain: str, content: bytes = TWO_ITEMS) -> dict:
    answer = read(
        b'<Response xmlns="urn:wco:datamodel:WCO:RES-DMS:2"><FunctionCode>03</FunctionCode><Declaration/></Response>',
        "pe-vuce",
        "r",
    )[0]
    answer = replace(answer, reference=ID, errors=(AnswerError("X1", "said", chain_of(chain)),))
    return tell(home, answer, content).findings[0].as_json()


def test_an_item_that_was_not_sent_is_told_as_such_and_no_other_is_taken_for_it(home):
    count = TWO_ITEMS.count(b"<Goods>")
    assert count > 1
    found = objected(home, f"42A/67A/68A#{count + 1}/23A:137")
    assert (found["pointer"], found["value"], found["label"]) == (GOODS, None, "")
    assert TWO_ITEMS.split(b"\n")[found["line"] - 1].strip() == b"<GoodsList>"
    assert (
        f"government agency goods item {count + 1}, which was not sent; the payload has {count}"
        in found["messages"]["en"]
    )
    assert found["messages"]["es"].endswith(f"que no fue enviado; el mensaje tiene {count}.")


def test_an_item_that_is_not_named_is_one_of_several(home):
    found = objected(home, "42A/67A/68A/23A:137")
    assert (found["pointer"], found["value"]) == (GOODS, None)
    assert "does not say which it means: one of government agency goods item 1 to 2" in found["messages"]["en"]


def test_a_chain_that_is_understood_only_in_part_has_a_place_and_no_value(home):
    found = objected(home, "42A/67A/68A#2/ZZZ:137")
    assert found["pointer"].startswith(f"{GOODS}/Goods[2]")
    assert found["value"] is None


def test_a_named_item_has_its_place_and_value(home):
    found = objected(home, "42A/67A/68A#2/23A:137")
    assert found["pointer"] == f"{GOODS}/Goods[2]/GoodsItemName"
    assert found["value"]
    assert "not sent" not in found["message"]
