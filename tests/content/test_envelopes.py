"""Wrappings taken off: element, text and base64, each with the lines that stand before the document."""

import base64

import pytest

from broker.content.envelopes import inner_of, unwrapped
from broker.content.xml import parse
from broker.model.documents import Envelope, Opened
from broker.model.errors import Refused

LIMIT = 1 << 20


def opened(text, form, parts=()):
    root, offset = parse(text.encode())
    envelope = Envelope("env", "Env", "Body[not(@old)]", form, {}, "a wrapping", parts=parts)
    return Opened(envelope, root, inner_of(root, envelope), offset), offset


def test_a_text_is_a_document_on_its_own_lines():
    text = (
        "<Env>\n<Body>\n&lt;?xml version='1.0' encoding='UTF-16'?&gt;\n&lt;Doc&gt;\n&lt;A/&gt;&lt;/Doc&gt;</Body></Env>"
    )
    root, lines = unwrapped(*opened(text, "text"), LIMIT)
    assert root.tag == "Doc"
    assert root[0].sourceline + lines == 5


def test_base64_is_a_document_and_what_is_none_is_told():
    body = base64.b64encode(b"<Doc>x</Doc>").decode()
    root, lines = unwrapped(*opened(f"<Env>\n<Body>{body}</Body></Env>", "base64"), LIMIT)
    assert (root.tag, root.text, lines) == ("Doc", "x", 1)
    with pytest.raises(Refused, match=r"content\.not-xml /Env/Body"):
        unwrapped(*opened("<Env><Body>*</Body></Env>", "base64"), LIMIT)


def test_a_fault_inside_a_text_is_told_at_its_line_of_the_message():
    with pytest.raises(Refused) as refused:
        unwrapped(*opened("<Env>\n<Body>&lt;Doc&gt;\n&lt;/Dok&gt;</Body></Env>", "text"), LIMIT)
    (finding,) = refused.value.findings
    assert (finding.code, finding.pointer, finding.line) == ("content.not-xml", "/Env/Body", 3)


@pytest.mark.parametrize(
    ("text", "code"), [("<Env/>", "type.unknown"), ("<Env><Body old=''/><Body old=''/></Env>", "envelope.several")]
)
def test_an_envelope_with_nothing_or_with_several_is_told_so(text, code):
    with pytest.raises(Refused) as refused:
        opened(text, "element", ("Body",))
    assert [f.code for f in refused.value.findings] == [code]
