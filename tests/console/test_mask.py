"""Nothing that is a value is seen, whatever form the content has; what is seen stands where it stood."""

import pytest
from lxml import etree

from broker.console.mask import DOT, hidden, masked
from broker.content.xml import leaves
from broker.paths import data_root
from broker.workbench.samples import read_sample

SECRET = "Juana Prieto 20100047218"


@pytest.mark.parametrize(
    "text",
    [
        f"<a><b>{SECRET}</b></a>", f'<a b="{SECRET}"/>', f"<a b='{SECRET}'/>", f"<a><!-- {SECRET} --></a>",
        f"<a><![CDATA[{SECRET}]]></a>", f"<?note {SECRET}?><a/>", f"<a>\n{SECRET}\n</a>", f"<a><{SECRET}</a>",
        f"<a b='<{SECRET}",
        f'<a b = "&lt;{SECRET}>"/>', f'{{"name": "{SECRET}"}}', f'["{SECRET}", {{"a": 20100047218}}]',
        f'{{"a": "\\"{SECRET}"',
        f"{SECRET}", f"\ufeff<a>{SECRET}</a>", f"<a xsi:note='{SECRET}'>{SECRET}", f"{{'a': {SECRET}}}", f"<a>{SECRET}",
    ],
)  # fmt: skip
def test_no_value_is_seen(text):
    shown = masked(text)
    assert len(shown) == len(text)
    assert not [word for word in SECRET.split() if word in shown]
    assert [len(line) for line in shown.split("\n")] == [len(line) for line in text.split("\n")]


def test_the_form_is_seen():
    assert (
        masked('<a xmlns:n="urn:x" b="v"><n:c>1 2</n:c></a>')
        == f'<a xmlns:n="urn:x" b="{DOT}"><n:c>{DOT} {DOT}</n:c></a>'
    )
    assert masked('{"a": [1.5, "x"], "b": true}') == f'{{"a": [{DOT * 3}, "{DOT}"], "b": {DOT * 4}}}'
    assert hidden("a b\n") == f"{DOT} {DOT}\n"


def samples():
    mappings = data_root() / "mappings"
    made = (".lineage.json", ".findings.json", ".expected.xml")
    for file in sorted((mappings / "documents").glob("*/*/samples/*")):
        if file.suffix in (".xml", ".json") and not file.name.endswith(made):
            yield pytest.param(file, mappings, id=f"{file.parent.parent.name}/{file.name}")


@pytest.mark.proof
@pytest.mark.parametrize(("file", "mappings"), list(samples()))
def test_no_text_of_any_sample_is_seen(file, mappings):
    content = read_sample(file, mappings).content
    text = content.decode("utf-8", "replace")
    shown = masked(text)
    assert len(shown) == len(text)
    if not text.lstrip("\ufeff \r\n").startswith("<"):
        return
    root = etree.fromstring(content.strip())
    namespaces = {uri for element in root.iter(etree.Element) for uri in element.nsmap.values()}
    values = {(element.text if name is None else element.get(name)).strip() for element, name in leaves(root)}
    assert not [
        v for v in values - namespaces if len(v) > 8 and f"<{v}" not in text and f":{v}" not in text and v in shown
    ]
