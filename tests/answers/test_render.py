"""Every outcome in every form: valid under the published schema of the form, and nothing of a finding left out."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest
from lxml import etree

from broker.answers.render import AtWindow, LocatedNotification, load_forms, render
from broker.answers.way_back import Notification
from broker.answers.way_back import load as load_home
from broker.answers.wco_response import read
from broker.catalogue import load as load_catalogue
from broker.line.process import process
from broker.model.answers import Remark, chain_of
from broker.model.documents import Message
from broker.model.findings import Finding, Severity
from broker.model.ids import MessageId
from broker.registry.statuses import load as load_statuses
from tests.support.paths import ROOT

pytestmark = pytest.mark.proof

HOME = ROOT
STATUSES = load_statuses(HOME / "mappings" / "statuses")
FORMS = load_forms(HOME / "mappings" / "responses")
KINDS = ("receipt", "answer", "refusal", "notice")

FINDING = Finding(
    code="PE0101",
    message="El RUC no es válido.",
    messages={"es": "El RUC no es válido.", "en": "The RUC is not valid.", "zh": "税号无效。"},
    rule="PE-IMPORTER-RUC",
    text="RUC inválido",
    pointer="/Invoice/cac:Party[2]/cbc:ID",
    line=12,
    label="RUC of the importer",
    value="20123",
    payload_pointer="42A/67A/68A#1/02A#1:D005",
    chain=chain_of("42A/67A/68A#1/02A#1:D005"),
)
REPLY = LocatedNotification(
    kind="answer",
    id="f" * 64,
    message_id="a" * 32,
    conversation_id="a" * 32,
    state="rejected",
    at="2026-03-01T10:00:00.000Z",
    sender="pe-exporter",
    sender_name="Exportadora Imaginaria",
    window="pe-vuce",
    window_name="VUCE",
    function_code="03",
    answer_id="A-1",
    mrn="118-2026-10-000001",
    version="1",
    issued="2026-03-01T09:59:59Z",
    findings=(FINDING,),
    remarks=(Remark("ACA", "traiga los papeles", "AFB", "2026-04-01T00:00:00Z"),),
    details=(("Bank/ID", "XX00"),),
    windows=(
        AtWindow("pe-vuce", "rejected"),
        AtWindow("us-ace", "delivered"),
        AtWindow("jp-naccs", "waiting", "later"),
    ),
    languages=("es", "en", "zh"),
)
HOSTILE = "\x00\x0b bad \ud800 <b>&amp;]]> \u202e " + "很长的文字 " * 200


@pytest.fixture(scope="session")
def schemas(reference, tmp_path_factory) -> dict[str, list[etree.XMLSchema]]:
    """For each form its published schema, and ours where we have one."""
    home = tmp_path_factory.mktemp("sps") / "all"
    shutil.copytree(reference / "xsd" / "can-intercom-sps" / "estandar-cfe", home)
    acknowledgement = reference / "xsd" / "uncefact-sps" / "D17A" / "data" / "standard" / "SPSAcknowledgement_17p0.xsd"
    shutil.copy(acknowledgement, home / "data" / "standard")
    wco = reference / "xsd" / "wco-hmrc-dms" / "wco" / "notification" / "WCO_RES_2_DMS.xsd"
    ubl = reference / "xsd" / "ubl-2.1" / "maindoc" / "UBL-ApplicationResponse-2.1.xsd"
    return {
        "sps-acknowledgement": [etree.XMLSchema(etree.parse(home / "data" / "standard" / acknowledgement.name))],
        "ubl-application-response": [etree.XMLSchema(etree.parse(ubl))],
        "wco-response": [etree.XMLSchema(etree.parse(wco))],
    }


def own_schema(form: str) -> etree.XMLSchema | None:
    files = {"cod-acknowledgement": "acknowledgement/1.0/acknowledgement.xsd", "wco-response": "wco/3.6/payload.xsd"}
    return etree.XMLSchema(etree.parse(HOME / "xsd" / files[form])) if form in files else None


def bodies(form: str, content: bytes) -> etree._Element:
    root = etree.fromstring(content)
    return root.find("{*}Response") if form == "wco-response" else root


def every_reply() -> list[LocatedNotification]:
    """Each kind in each state, bare, with everything, and with texts that hurt."""
    hostile = Finding(
        code="a b\n", messages={"en": HOSTILE}, text=HOSTILE, pointer="/x", label=HOSTILE, value=HOSTILE, line=1
    )
    replies = []
    for kind in KINDS:
        for state in STATUSES.states:
            full = replace(REPLY, kind=kind, state=state)
            replies += [
                full,
                LocatedNotification(
                    kind, "e" * 64, "b" * 32, "b" * 32, state, "2026-03-01T10:00:00.000Z", sender="co-ica"
                ),
                replace(full, findings=(hostile,) * 2, mrn="9" * 90, version="v" * 20, details=((HOSTILE, HOSTILE),)),
            ]
    return replies


@pytest.mark.parametrize("form", [name for name in FORMS if name != "json"])
def test_every_kind_in_every_state_is_valid_under_our_own_schema(form):
    schema = own_schema(form)
    for reply in every_reply():
        content = render(reply, FORMS[form], STATUSES)
        if schema is not None:
            schema.assertValid(etree.fromstring(content))


@pytest.mark.parametrize("form", ["sps-acknowledgement", "ubl-application-response", "wco-response"])
def test_every_kind_in_every_state_is_valid_under_the_published_schema(form, schemas):
    for reply in every_reply():
        for schema in schemas[form]:
            body = bodies(form, render(reply, FORMS[form], STATUSES))
            schema.assertValid(etree.fromstring(etree.tostring(body)))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_the_whole_finding(form):
    content = render(REPLY, FORMS[form], STATUSES)
    text = content.decode() if form == "json" else " ".join(etree.fromstring(content).xpath("//text() | //@*"))
    wanted = (
        "PE0101",
        "PE-IMPORTER-RUC",
        "El RUC no es válido.",
        "The RUC is not valid.",
        "税号无效。",
        "RUC inválido",
    )
    place = ("/Invoice/cac:Party[2]/cbc:ID", "12", "RUC of the importer", "20123", "42A/67A/68A#1/02A#1:D005")
    rest = ("traiga los papeles", "2026-04-01T00:00:00Z", "Bank/ID", "XX00", "118-2026-10-000001", "us-ace", "later")
    for one in (*wanted, *place, *rest, "a" * 32):
        assert one in text, one


def test_a_long_text_is_carried_whole_by_the_wco_form():
    long = "0123456789" * 120
    reply = replace(REPLY, findings=(replace(FINDING, text=long),))
    root = etree.fromstring(render(reply, FORMS["wco-response"], STATUSES))
    parts = root.xpath("//*[local-name()='AdditionalInformation'][*[local-name()='StatementCode']='window-text']")
    assert "".join(p.findtext("{*}StatementDescription") for p in parts) == long


def test_the_wco_form_is_read_back_as_the_answer_it_tells():
    (answer,) = read(render(REPLY, FORMS["wco-response"], STATUSES), "pe-vuce", "r")
    assert (answer.function_code, answer.reference, answer.mrn) == ("03", "a" * 32, REPLY.mrn)
    assert answer.errors[0].pointer == FINDING.chain
    assert answer.tolerated == ()


def test_an_amendment_granted_is_function_code_and_status():
    reply = replace(REPLY, state="amendment_granted", findings=())
    (answer,) = read(render(reply, FORMS["wco-response"], STATUSES), "pe-vuce", "r")
    assert (answer.function_code, [s.code for s in answer.statuses]) == ("11", ["39"])


@pytest.mark.parametrize(
    ("kind", "state", "profile", "code"),
    [
        ("receipt", "received", "urn:peppol:edec:mls", "AB"),
        ("refusal", "refused", "urn:peppol:edec:mls", "RE"),
        ("notice", "failed", "urn:peppol:edec:mls", "AB"),
        ("answer", "rejected", "urn:fdc:peppol.eu:poacc:bis:invoice_response:3", "RE"),
        ("answer", "accepted_with_remarks", "urn:fdc:peppol.eu:poacc:bis:invoice_response:3", "CA"),
        ("answer", "control", "urn:fdc:peppol.eu:poacc:bis:invoice_response:3", "IP"),
    ],
)
def test_the_receipt_of_an_invoice_is_a_message_status_and_the_decision_an_invoice_response(kind, state, profile, code):
    root = etree.fromstring(render(replace(REPLY, kind=kind, state=state), FORMS["ubl-application-response"], STATUSES))
    assert root.findtext("{*}ProfileID") == profile
    assert root.findtext(".//{*}ResponseCode") == code


def test_the_reason_of_a_message_status_follows_the_finding():
    faults = [replace(FINDING, code=c) for c in ("schema.missing", "content.depth", "PEPPOL-R001", "delivery.failed")]
    faults.append(replace(FINDING, code="mapping.unmapped", severity=Severity.WARNING))
    reply = replace(REPLY, kind="refusal", state="refused", findings=tuple(faults), remarks=())
    root = etree.fromstring(render(reply, FORMS["ubl-application-response"], STATUSES))
    assert [e.text for e in root.iter("{*}StatusReasonCode")] == ["SV", "SV", "BV", "FD", "BW"]


def test_the_sender_s_own_references_are_read_from_its_document():
    invoice = etree.fromstring(
        '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:b="urn:b">'
        "<b:ID>F001-7</b:ID><b:IssueDate>2026-02-03</b:IssueDate><b:InvoiceTypeCode>380</b:InvoiceTypeCode></Invoice>"
    )
    root = etree.fromstring(render(REPLY, FORMS["ubl-application-response"], STATUSES, invoice))
    reference = root.find(".//{*}DocumentReference")
    assert [e.text for e in reference] == ["F001-7", "2026-02-03", "380"]


def test_json_has_the_keys_of_an_inbox_line():
    said = json.loads(render(REPLY, FORMS["json"], STATUSES))
    assert {"kind", "message_id", "conversation_id", "window", "state", "findings"} <= set(said)
    finding = said["findings"][0]
    assert {k: finding[k] for k in ("rule", "code", "message", "pointer", "line", "label", "value")} == {
        "rule": "PE-IMPORTER-RUC",
        "code": "PE0101",
        "message": "El RUC no es válido.",
        "pointer": "/Invoice/cac:Party[2]/cbc:ID",
        "line": 12,
        "label": "RUC of the importer",
        "value": "20123",
    }
    assert finding["payload_pointer"] == "42A/67A/68A#1/02A#1:D005"
    assert said["windows"][1] == {"window": "us-ace", "state": "delivered", "reason": ""}


@pytest.mark.parametrize(
    ("file", "number", "issued"),
    [
        ("tradetrust-coo-1/samples/credential-au-sg.json", "ejemplo-vinos:coo:2024-00071", "2024-06-03T00:46:34Z"),
        ("tradetrust-coo-1/samples/salted-au-sg.json", "ejemplo-vinos:coo:2024-00071", "2024-06-03T00:46:34Z"),
        ("uncefact-preferential-d22b/samples/korea-thailand.json", "KR-TH-2024-000311", "2024-04-02T10:20:30+09:00"),
    ],
)
def test_who_sends_json_is_told_in_json_with_its_own_number(file, number, issued):
    catalogue = load_catalogue()
    outcome = process(
        Message(MessageId("a" * 32), (HOME / "mappings" / "documents" / "origin" / file).read_bytes()), catalogue
    )
    record = load_home(HOME, catalogue)(
        Notification("receipt", "a" * 32, "nobody", "", "received", "", REPLY.at, document=outcome.document)
    )
    said = json.loads(record.content)
    assert record.content_type == "application/json"
    assert (said["references"]["number"], said["references"]["issued"]) == (number, issued)
    assert said["title"]["en"] == "received"


FOLDERS = (
    "co-aladi-cod",
    "sps-ecert-can",
    "ubl-oasis",
    "peppol-pint-sg",
    "peppol-pint-aunz",
    "peru-sunat",
    "malformed",
)


def test_whatever_comes_its_receipt_or_refusal_is_valid_in_the_form_of_its_format(reference, schemas):
    """Published samples of every format, malformed ones among them, and all of our own."""
    catalogue = load_catalogue()
    home = load_home(HOME, catalogue)
    own = [f for f in (HOME / "mappings" / "documents").glob("*/*/samples/*") if f.suffix in (".xml", ".json")]
    own = [f for f in own if not f.name.endswith((".payload.xml", ".findings.json"))]
    published = [f for name in FOLDERS for f in (reference / "samples" / name).iterdir() if f.is_file()]
    told = Counter()
    for file in sorted(own)[::3] + sorted(published)[::2]:
        outcome = process(Message(MessageId("a" * 32), file.read_bytes()), catalogue)
        kind, state = ("receipt", "received") if outcome.payload else ("refusal", "refused")
        said = outcome.findings
        form = outcome.document_type or ""
        record = home(
            Notification(kind, "a" * 32, "nobody", form, state, "", REPLY.at, said, document=outcome.document)
        )
        if record.content_type == "application/json":
            assert outcome.document is None or outcome.document.type.response == "json", file
            told["json"] += 1
            continue
        root = etree.fromstring(record.content)
        name = FORM_OF[etree.QName(root).localname]
        ours = own_schema(name)
        if ours is not None:
            ours.assertValid(root)
        for schema in schemas.get(name, ()):
            schema.assertValid(etree.fromstring(etree.tostring(bodies(name, record.content))))
        told[name] += 1
    assert set(told) == {*FORM_OF.values(), "json"}
    assert sum(told.values()) > 80


FORM_OF = {
    "SPSAcknowledgement": "sps-acknowledgement",
    "ApplicationResponse": "ubl-application-response",
    "Acknowledgement": "cod-acknowledgement",
    "MetaData": "wco-response",
}
