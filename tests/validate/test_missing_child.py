"""Which child is missing, where libxml2 only points at the next one; never believed about the verdict."""

from lxml import etree

from broker.validate import missing_child
from broker.validate.missing_child import MissingChildFinder
from tests.support.note_kit import GOOD, refused


def test_the_one_child_that_must_come_next_is_named(schema):
    root = etree.fromstring(GOOD.replace("<n:What>Tea</n:What>", "").encode())
    ((parent, found),) = MissingChildFinder(schema.file).about(root).items()
    assert parent is root.find("{urn:note}Line")
    assert (found.expected, found.known) == ("{urn:note}What", {"{urn:note}What", "{urn:note}Count"})


def test_a_good_document_lacks_nothing_and_a_huge_one_is_not_asked(schema, monkeypatch):
    assert MissingChildFinder(schema.file).about(etree.fromstring(GOOD.encode())) == {}
    monkeypatch.setattr(missing_child, "_MAX_NODES", 3)
    assert MissingChildFinder(schema.file).about(etree.fromstring(b"<a><b/><b/><b/></a>")) == {}


def test_without_the_second_opinion_the_place_is_the_same(schema, monkeypatch):
    monkeypatch.setattr("broker.validate.missing_child.MissingChildFinder._about", lambda *_: 1 / 0)
    (finding,) = refused(schema, GOOD.replace("<n:What>Tea</n:What>", ""))
    assert (finding.code, finding.pointer, finding.line) == ("schema.missing", "/n:Note/n:Line[1]/n:What", 5)
    (finding,) = refused(
        schema,
        GOOD.replace("<n:Number>A-1", "<n:Stray>A-1").replace("A-1</n:Number>", "A-1</n:Stray><n:Number>1</n:Number>"),
    )
    assert (finding.code, finding.pointer, finding.line) == ("schema.unexpected", "/n:Note/n:Stray", 2)
