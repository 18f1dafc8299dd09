"""``swb check`` finds what is wrong with data, each fault with its place."""

import json

import pytest

pytestmark = pytest.mark.proof

DOCUMENT = "mappings/documents/toy/note-1"


def change(root, file, old, new):
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def add(root, file, text):
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_good_data_passes(toy, swb):
    code, out, _ = swb("check")
    assert code == 0, out
    assert "1 document types, 6 rows, 1 rules, 0 participants, 2 samples: all well" in out


MAPPING, RULES, SAMPLES = f"{DOCUMENT}/mapping.toml", f"{DOCUMENT}/rules.toml", f"{DOCUMENT}/samples"
ROW = 'from = "n:Number", required'


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (MAPPING, ROW, 'from = "n:Numero", required', "the source schema has no Numero there"),
        (MAPPING, ROW, 'from = "(n:Number|n:Nr)", required', "the source schema has no Nr there"),
        (MAPPING, ROW, "from = \"n:Line[@sort='x']\", required", "the source schema has no @sort there"),
        (MAPPING, ROW, 'from = "n:Line/@sort", required', "the source schema has no @sort there"),
        (MAPPING, ROW, 'from = "n:Number", when = "n:Tu", required', "the source schema has no Tu there"),
        (MAPPING, ROW, 'from = "m:Number", required', "prefix 'm'"),
        (MAPPING, '{ from = "n:To"', '{ from = "n:Cc"', "the source schema has no Cc there"),
        (MAPPING, 'id = "D005"', 'id = "D999"', "the WCO id of ID is D005, not D999"),
        (MAPPING, "AdditionalDocument/ID", "AdditionalDocument/Number", "AdditionalDocument has no element Number"),
        (MAPPING, ROW, 'codes = "iso-0", from = "n:Number", required', "there is no code list 'iso-0'"),
        (MAPPING, "fields = [", "fields = ", "not TOML"),
        (RULES, "n:Number !=", "n:Number !!=", "TOY-1"),
        (RULES, "n:Number !=", "m:Number !=", "TOY-1"),
        (RULES, "'13'", "'99'", "must be refused, is accepted"),
        (RULES, "[[rules]]", "[[rule]]", "rule is no key here; known are rules"),
        (RULES, "at =", "et =", "unknown key et"),
        (RULES, "en =", "de =", "TOY-1: message.en is missing"),
        (RULES, "es =", "de =", "TOY-1: message.es is missing"),
        (f"{SAMPLES}/first.xml", "<Number>1<", "<Number>13<", "must be accepted, is refused: TOY-1 /Note/Number"),
        (f"{DOCUMENT}/document.toml", "{urn:toy}Note", "{urn:toy}Notes", "declares no root element"),
        (f"{DOCUMENT}/document.toml", "toy/note.xsd", "toy/notes.xsd", "notes.xsd"),
        (f"{DOCUMENT}/document.toml", "namespaces", "namespace", "namespace is no key here"),
        ("xsd/toy/note.xsd", "LineType", "LineTipe", ""),  # another name, everywhere: nothing is wrong
        ("xsd/toy/note.xsd", 'type="LineType"', 'type="LineTipe"', "not a schema"),
    ],
)
def test_a_fault_is_told_with_its_place(toy, swb, file, old, new, says):  # noqa: PLR0917
    change(toy, file, old, new)
    code, out, err = swb("check", "-o", "json")
    assert err == ""
    faults = json.loads(out)["faults"]
    if not says:
        assert (code, faults) == (0, [])
        return
    assert code == 1
    assert any(says in f["message"] for f in faults), faults
    assert str(toy) not in out


def test_all_faults_are_told_at_once(toy, swb):
    change(toy, MAPPING, ROW, 'from = "n:Numero", required')
    change(toy, MAPPING, '{ from = "n:To"', '{ from = "n:Cc"')
    change(toy, RULES, "n:Number !=", "m:Number !=")
    code, out, _ = swb("check")
    assert code == 1
    for says in ("no Numero there", "no Cc there", "TOY-1"):
        assert says in out


def test_a_sample_whose_expectation_has_changed(toy, swb):
    samples = toy / SAMPLES
    assert swb("replay", samples, "--expect", samples, "--update")[0] == 0
    assert swb("check")[0] == 0
    change(toy, f"{SAMPLES}/first.payload.xml", ">1<", ">2<")
    code, out, _ = swb("check")
    assert code == 1
    assert "differs from what is expected" in out
    assert "first.xml" in out


def test_a_refusal_by_another_rule_than_the_name_says(toy, swb):
    change(toy, f"{SAMPLES}/refused-TOY-1.toml", "'Number'", "'Date'")
    code, out, _ = swb("check")
    assert code == 1
    assert "must be refused by the rule it is named by, and is told: schema.type" in out


def test_a_participant_that_accepts_what_nobody_sends(toy, swb):
    add(
        toy,
        "mappings/participants/pe-x/participant.toml",
        'name = "X"\nkind = "window"\neconomy = "PE"\nprofile = "our own"\n'
        'answers = { accepted = [{ function = "01" }], rejected = [{ function = "02" }], '
        'states = { 01 = "accepted", 02 = "rejected" } }\n'
        'identifiers = [{ scheme = "ruc", value = "20999999907" }, { scheme = "stars", value = "5" }]\n'
        'accepts = [{ id = "X-1", family = "notes" }, { id = "X-2", types = ["toy/note-2"] }]\n',
    )
    code, out, _ = swb("check")
    assert code == 1
    assert "X-1: there is no family notes; there are toy" in out
    assert "X-2: there is no document type toy/note-2" in out
    assert "identifiers: '20999999907' is no " in out
    assert "identifiers: no identifier kind 'stars'" in out


def test_code_lists_and_where_translations_lead(toy, swb):
    edition = '[[editions]]\nversion = "1"\nsource = "ours"\n'
    add(toy, "mappings/codelists/colours/list.toml", f'title = "Colours"\nagency = "ours"\n{edition}')
    add(toy, "mappings/codelists/colours/1.csv", "code,name\nR,red\n")
    add(
        toy,
        "mappings/codelists/toy-to-colours/list.toml",
        f'title = "To colours"\nagency = "ours"\nkind = "translation"\n{edition}',
    )
    add(toy, "mappings/codelists/toy-to-colours/1.csv", "from,to\nrojo,R\nverde,G\n")
    code, out, _ = swb("check")
    assert code == 1
    assert "mappings/codelists/toy-to-colours/1.csv:3: leads to what is no code of colours: G" in out
    add(toy, "mappings/codelists/colours/1.csv", "code,name\nR,red\nR,again\n")
    _, out, _ = swb("check")
    assert "twice there" in out


def test_the_data_of_the_product_pass(swb):
    code, out, _ = swb("check")
    assert code == 0, out
