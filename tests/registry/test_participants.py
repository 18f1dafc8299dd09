"""Every participant folder, walked: its samples arrive by the rule that names them, are rejected by the rule that names
them, and every rejection points at the place in the sender's document that was changed."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest

from broker.answers import way_back
from broker.answers.wco_response import read
from broker.catalogue import load, payload_pointers
from broker.content.xml import parse
from broker.line.agreements import insist
from broker.line.process import process
from broker.model.documents import Message
from broker.model.errors import Misconfigured, Refused
from broker.model.findings import Finding, Severity
from broker.model.ids import MessageId
from broker.model.outcomes import Catalogue
from broker.model.participants import Limits, Participant, Policy
from broker.paths import data_root
from broker.registry.identifiers import load_identifiers
from broker.registry.participants import load_participant, load_participants
from broker.registry.statuses import load as load_statuses
from broker.windows.decide import windows
from broker.windows.respond import countable, reply
from broker.workbench import preview
from broker.workbench.samples import read_sample

pytestmark = pytest.mark.proof

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
MAPPINGS = data_root() / "mappings"
FOLDER = MAPPINGS / "participants"
PARTICIPANTS = load_participants(FOLDER)
WINDOWS = [p for p in PARTICIPANTS.values() if p.kind == "window"]
ACCEPTING = [(w, rule.id) for w in WINDOWS for rule in w.accepts]
REJECTING = [(w, rule.id) for w in WINDOWS for rule in w.rules]
ID = MessageId("0123456789abcdef0123456789abcdef")
BARE_ID = re.compile(r"[A-Z]+(-[A-Z0-9]+)+")


@pytest.fixture(scope="module")
def catalogue():
    return load()


@pytest.fixture(scope="module")
def asked(catalogue):
    return windows(catalogue)


@pytest.fixture(scope="module")
def home(catalogue):
    return way_back.load(data_root(), catalogue)


@pytest.fixture(scope="module")
def pointers():
    return payload_pointers()


@pytest.fixture(scope="module")
def outcome(catalogue):
    """What the line makes of a sample, made once."""
    return cache(lambda code, name: process(Message(ID, sample(PARTICIPANTS[code], name).content), catalogue))


def sample(window, name):
    (file,) = (FOLDER / window.code / "samples").glob(f"{name}.*")
    return read_sample(file, MAPPINGS)


def names(cases):
    return [name for _, name in cases]


def test_there_are_twelve_windows_and_at_least_five_agencies():
    assert len(WINDOWS) == 12
    assert len(PARTICIPANTS) - len(WINDOWS) >= 5


@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: w.code)
def test_each_window_has_eight_rules_and_says_where_its_profile_comes_from(window):
    assert len(window.rules) >= 8
    assert len({rule.code for rule in window.rules}) == len(window.rules)
    assert all(BARE_ID.fullmatch(rule.id) for rule in window.rules)
    assert all(language in rule.message for rule in window.rules for language in window.languages)
    assert "our own" in window.profile


@pytest.mark.parametrize("participant", PARTICIPANTS.values(), ids=lambda p: p.code)
def test_the_identifiers_of_participants_are_right(participant):
    check = load_identifiers(MAPPINGS / "codelists/identifiers.toml").check
    assert [check(i.scheme, i.value) for i in participant.identifiers if check(i.scheme, i.value)] == []


@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: w.code)
def test_a_sample_is_named_by_a_rule_and_every_rule_has_one(window):
    rules = [rule.id for rule in (*window.accepts, *window.rules)]
    assert sorted(file.stem for file in (FOLDER / window.code / "samples").iterdir()) == sorted(rules)


@pytest.mark.parametrize("window", WINDOWS, ids=lambda w: w.code)
def test_the_status_dictionary_knows_what_a_window_says(window, outcome, asked, pointers):
    statuses = load_statuses(MAPPINGS / "statuses")
    for name, verdict in ((window.accepts[0].id, "accepted"), (window.rules[0].id, "rejected")):
        replies = reply(asked[window.code], outcome(window.code, name).payload.content, pointers, NOW)
        answers = [a for one in replies for a in read(one.content, window.code, one.id)]
        meanings = [statuses.means(a, window.answers.dialect, window.answers.states) for a in answers]
        assert all(m.is_mapped for m in meanings)
        assert verdict in {statuses.states[m.state].verdict for m in meanings}


@pytest.mark.parametrize(("window", "name"), ACCEPTING, ids=names(ACCEPTING))
def test_the_sample_of_a_routing_rule_arrives_by_it_and_is_accepted(window, name, outcome, asked):
    found = outcome(window.code, name)
    assert [f for f in found.findings if f.is_error] == []
    (routing,) = [r for r in found.routings if r.participant == window.code]
    assert routing.rule == name, routing.reason
    assert asked[window.code].decide(found.payload, NOW).findings == ()


@pytest.mark.parametrize(("window", "name"), REJECTING, ids=names(REJECTING))
def test_the_sample_of_a_rule_breaks_it_alone_and_the_pointer_leads_back(window, name, outcome, asked, pointers):
    payload = outcome(window.code, name).payload
    decision = asked[window.code].decide(payload, NOW)
    rule = next(r for r in window.rules if r.id == name)
    (finding,) = decision.findings
    assert (finding.rule, finding.code) == (name, rule.code)
    assert decision.verdict == ("rejected" if rule.severity == "error" else "accepted")
    replies = reply(asked[window.code], payload.content, pointers, NOW)
    answer = read(replies[-1].content, window.code, replies[-1].id)[-1]
    (said,) = [*answer.errors, *answer.remarks]
    assert said.code == rule.code
    meant = countable(finding.payload_pointer).partition("/@")[0].removesuffix("/DateTimeString")
    assert pointers.resolve(said.pointer, payload.root).path == meant


@pytest.mark.parametrize("name", ["PE-AGREEMENT", "PE-CURRENCY", "PE-NET-GROSS"])  # every other: test_home.py
def test_asked_beforehand_a_window_names_what_was_changed(name, home, asked):
    tried = sample(PARTICIPANTS["pe-vuce"], name)
    (verdict,) = preview.ask(Message(ID, tried.content), home, asked, NOW, ["pe-vuce"])
    (finding,) = verdict.findings
    assert (verdict.verdict, finding.rule, finding.pointer) == ("rejected", name, tried.points)
    assert finding.line


def test_asked_beforehand_nobody_or_another_says_so(home, asked):
    roses = sample(PARTICIPANTS["pe-vuce"], "PE-02").content
    (declined,) = preview.ask(Message(ID, roses), home, asked, NOW, ["us-ace"])
    assert (declined.window, declined.verdict) == ("us-ace", "not_routed")
    assert "found PE" in declined.findings[0].messages["en"]
    (refused,) = preview.ask(Message(ID, b"<a/>"), home, asked, NOW)
    assert (refused.window, refused.verdict, refused.findings[0].code) == (None, "refused", "type.unknown")


def test_every_answer_is_valid_by_the_schema_of_responses(catalogue, outcome, asked, pointers):
    for window in WINDOWS:
        for name in (window.accepts[0].id, window.rules[0].id):
            payload = outcome(window.code, name).payload
            for one in reply(asked[window.code], payload.content, pointers, NOW):
                assert catalogue.payload_schema.judge(parse(one.content)[0]).faults == ()


def test_the_same_delivery_is_answered_with_the_same_bytes(outcome, asked, pointers):
    window = PARTICIPANTS["pe-vuce"]
    payload = outcome(window.code, "PE-01").payload.content
    first = reply(asked[window.code], payload, pointers, NOW)
    assert first == reply(asked[window.code], payload, pointers, NOW)
    assert len({one.id for one in first}) == len(first) == 2
    with pytest.raises(Refused):
        reply(asked[window.code], b"<junk", pointers, NOW)


def test_what_was_agreed_with_a_sender_holds_on_the_line(catalogue):
    content = read_sample(MAPPINGS / "documents/sps/sps-certificate-17/samples/everything.xml", MAPPINGS).content
    told = {f.code for f in process(Message(ID, content, "ec-agrocalidad"), catalogue).findings}
    sender = catalogue.participants["ec-agrocalidad"]

    def under(**agreed):
        changed = replace(sender, **agreed)
        return process(Message(ID, content, sender.code), replace(catalogue, participants={sender.code: changed}))

    assert under().is_accepted
    small = under(limits=Limits(size=len(content) - 1))
    assert [(f.code, f.is_error) for f in small.findings] == [("content.too-large", True)]
    assert under(limits=Limits(size=len(content))).is_accepted
    assert under(policy=Policy(strict=True)).is_accepted is ("mapping.unmapped" not in told)


def test_a_strict_sender_is_refused_what_no_row_takes():
    lost = [Finding("mapping.unmapped", "No row takes it.", Severity.WARNING, "/a/b", 3), Finding("x", "y")]
    catalogue = load_catalogue_of(policy=Policy(strict=True))
    with pytest.raises(Refused) as refused:
        insist(Message(ID, b"", "zz-a"), catalogue, lost)
    assert [(f.code, f.pointer, f.is_error) for f in refused.value.findings] == [("mapping.unmapped", "/a/b", True)]
    insist(Message(ID, b"", "zz-a"), load_catalogue_of(policy=Policy()), lost)
    insist(Message(ID, b"", None), catalogue, lost)


def load_catalogue_of(**agreed):
    sender = Participant("zz-a", "A", "agency", "ZZ", **agreed)
    return Catalogue({}, (), {"zz-a": sender}, {}, None)


THIRTEENTH = """
name = "A thirteenth window"
kind = "window"
economy = "NZ"
profile = "our own, for this test"
accepts = [{ id = "NZ-01", family = "invoice", when = "GoodsShipment/Destination/CountryCode = 'NZ'" }]

[answers]
reference = "NZ######"
accepted = [{ function = "01" }]
rejected = [{ function = "03" }]

[[rules]]
id = "NZ-CURRENCY"
code = "NZ1"
each = "InvoiceAmount"
test = "@currencyID = 'NZD'"
at = "@currencyID"
message.en = "Only New Zealand dollars."
"""
SAMPLE = """
base = "participants/sg-tradenet/samples/SG-01.xml"
change = [{ path = "//cac:AccountingCustomerParty//cac:Country/cbc:IdentificationCode", value = "NZ" }]
"""


def test_a_thirteenth_window_is_one_folder_of_data(tmp_path):
    (tmp_path / "xsd").symlink_to(data_root() / "xsd")
    shutil.copytree(FOLDER, tmp_path / "mappings" / "participants")
    for drawer in (d for d in MAPPINGS.iterdir() if d != FOLDER):
        (tmp_path / "mappings" / drawer.name).symlink_to(drawer)
    folder = tmp_path / "mappings" / "participants" / "nz-tsw"
    (folder / "samples").mkdir(parents=True)
    (folder / "participant.toml").write_text(THIRTEENTH, encoding="utf-8")
    (folder / "samples" / "NZ-01.toml").write_text(SAMPLE, encoding="utf-8")

    catalogue = load(tmp_path)
    content = read_sample(folder / "samples" / "NZ-01.toml", tmp_path / "mappings").content
    verdicts = preview.ask(Message(ID, content), way_back.load(tmp_path, catalogue), windows(catalogue), NOW)
    (verdict,) = [v for v in verdicts if v.window == "nz-tsw"]
    assert verdict.verdict == "rejected"
    (finding,) = verdict.findings
    assert (finding.rule, finding.value) == ("NZ-CURRENCY", "USD")
    assert finding.pointer == "/Invoice/cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount/@currencyID"


GOOD = 'name = "A"\nkind = "agency"\n'
WINDOW = THIRTEENTH.strip()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = ", "not TOML"),
        ('kind = "agency"', "name is missing"),
        ('name = "A"\nkind = "ministry"', "kind must be one of agency, window"),
        (GOOD + 'econmy = "PE"', "unknown key econmy"),
        (GOOD + "languages = 3", "languages must be a text or a list of texts"),
        (GOOD + '[[accepts]]\nid = "X"', "accepts and rules belong to windows"),
        (GOOD + "[limits]\nsize = true", "size must be of type int"),
        (GOOD + '[limits]\nopening = "nine to five"', "opening must look like"),
        (GOOD + '[policy]\nduplicates = "maybe"', "duplicates must be one of answer, ignore"),
        (WINDOW.replace("[{ id =", "[{ chapter = 1, id ="), r"accepts\[1\]: unknown key chapter"),
        (WINDOW.replace("[{ id =", '[{ chapters = ["x"], id ='), "chapters: write"),
        (WINDOW.replace("[{ id =", '[{ value = { path = "InvoiceAmount" }, id ='), "give at_least, at_most or both"),
        (
            WINDOW.replace("[{ id =", '[{ value = { path = "InvoiceAmount", at_most = "x" }, id ='),
            "must be an exact number",
        ),
        (WINDOW.replace('each = "InvoiceAmount"', 'each = "Invoice Amount"'), "is not XPath 1.0"),
        (WINDOW.replace('code = "NZ1"', 'code = "much too long"'), "must have 1 to 8 characters"),
        (WINDOW.replace("message.en", "message.es"), "message.en is missing"),
        (WINDOW.replace('function = "01"', 'function = "accepted"'), "must have one or two digits"),
        (WINDOW.replace('profile = "our own, for this test"', ""), "profile is missing"),
        (WINDOW.replace('rejected = [{ function = "03" }]', ""), "needs answers.accepted and answers.rejected"),
    ],
)
def test_a_participant_that_cannot_be_read_is_told_by_file_and_place(text, complaint, tmp_path):
    file = tmp_path / "zz-test" / "participant.toml"
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured, match=complaint) as raised:
        load_participant(file)
    assert str(file) in str(raised.value)


def test_a_folder_must_be_a_code_and_a_rule_must_be_one_rule(tmp_path):
    for name in ("Peru", "zz-a", "zz-b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "participant.toml").write_text(WINDOW, encoding="utf-8")
    with pytest.raises(Misconfigured, match="lower case letters"):
        load_participant(tmp_path / "Peru" / "participant.toml")
    shutil.rmtree(tmp_path / "Peru")
    with pytest.raises(Misconfigured, match="rule NZ-01 exists already"):
        load_participants(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ('path = "//cbc:Nothing", value = "x"', "finds nothing"),
        ('path = "//[", value = "x"', "Invalid expression"),
        ('path = "//cbc:ID/text()", delete = true', "elements or attributes"),
    ],
)
def test_a_variant_that_cannot_be_made_says_why(change, complaint, tmp_path):
    file = tmp_path / "sample.toml"
    file.write_text(f'base = "participants/sg-tradenet/samples/SG-01.xml"\nchange = [{{ {change} }}]', encoding="utf-8")
    with pytest.raises(Misconfigured, match=complaint):
        read_sample(file, MAPPINGS)


@pytest.mark.parametrize("code", ["retry", "facts", "swb"])
def test_a_participant_cannot_be_called_like_a_topic_of_the_broker(tmp_path, code):
    file = tmp_path / "participants" / code / "participant.toml"
    file.parent.mkdir(parents=True)
    file.write_text(GOOD, encoding="utf-8")
    with pytest.raises(Misconfigured, match=f"the code {code} is reserved"):
        load_participant(file)
