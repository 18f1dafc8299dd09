"""Which leaves of a wrapping are its own, and which are of the document in it."""

from lxml import etree

from broker.model.documents import Envelope, Opened

ROOT = etree.fromstring("<Env id='1'><Head>h</Head><Body kind='x'><Doc>d</Doc></Body></Env>")
HEAD, BODY = ROOT
DOC = BODY[0]


def opened(form):
    return Opened(Envelope("env", "Env", "Body", form, {}, "a wrapping"), ROOT, BODY)


def test_of_an_element_all_below_the_document_is_the_documents():
    one = opened("element")
    assert [one.holds(e, a) for e, a in ((ROOT, "id"), (HEAD, None), (BODY, "kind"), (DOC, None))] == [
        True, True, False, False,
    ]  # fmt: skip


def test_of_a_text_only_the_text_itself_is_the_documents():
    one = opened("base64")
    assert [one.holds(e, a) for e, a in ((HEAD, None), (BODY, "kind"), (BODY, None))] == [True, True, False]
