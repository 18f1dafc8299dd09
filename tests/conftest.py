"""What every test may ask for: published schemas and samples, and a Kafka to speak to."""

import io
import logging
import os
import shutil
import sys
import textwrap
from functools import cache
from pathlib import Path

import pytest
import structlog
from lxml import etree

from broker import catalogue, cli
from broker.embedded.jars import Unavailable, jars
from broker.embedded.node import EmbeddedKafka
from broker.paths import data_root

load = catalogue.load
installed = cache(load)
PACKAGED = data_root()


def load_once(root=None, **options):
    """The package's own catalogue, which is frozen, is read and compiled once for all tests; any other each time."""
    is_installed = root is None and catalogue.data_root() == PACKAGED
    return installed(**options) if is_installed else load(root, **options)


catalogue.load = load_once


def pytest_collection_modifyitems(items):
    """A law that is tried on a hundred inventions takes its time; files that wait for a Kafka begin first."""
    items.sort(key=lambda item: _order(item.path.relative_to(Path(__file__).parent).as_posix()))
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.proof)


@pytest.fixture(autouse=True)
def nothing_bound():
    """What one test bound to its log lines, or asked of the libraries, the next does not carry."""
    structlog.contextvars.clear_contextvars()
    logging.getLogger("aiokafka").setLevel(logging.NOTSET)


LONGEST = ("kafka/test_chaos.py", "kafka/test_relay.py", "kafka/test_windows.py", "kafka/")
"""Where two files run at a time, the last one to begin should be a short one."""


def _order(path):
    return next((number for number, start in enumerate(LONGEST) if path.startswith(start)), len(LONGEST))


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of published schemas and samples that ``SWB_REFERENCE`` names."""
    named = os.environ.get("SWB_REFERENCE")
    if not named:
        pytest.skip("SWB_REFERENCE is not set: it names a folder of published schemas and samples to compare with")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"SWB_REFERENCE names {folder}, and there is no such folder")
    return folder


@pytest.fixture(scope="session")
def published_payload(reference) -> etree.XMLSchema:
    """The published schemas of a payload and of an answer to it, as one: the wrapper takes what is known."""
    home = reference / "xsd/wco-hmrc-dms/wco"
    imports = "".join(
        f'<xs:import namespace="urn:wco:datamodel:WCO:{name}-DMS:2" schemaLocation="{(home / file).as_uri()}"/>'
        for name, file in (
            ("DocumentMetaData", "declaration/DocumentMetaData_2_DMS.xsd"),
            ("DEC", "declaration/WCO_DEC_2_DMS.xsd"),
            ("RES", "notification/WCO_RES_2_DMS.xsd"),
        )
    )
    driver = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(driver))


@pytest.fixture(scope="module")
def fresh_kafka():
    """Addresses of a Kafka that no other test has used: for tests that count everything in it."""
    with embedded() as kafka:
        yield kafka.bootstrap


@pytest.fixture(scope="module")
def fresh_node():
    """The same, as what a test may stop and start again."""
    with embedded() as kafka:
        yield kafka


@pytest.fixture(scope="session")
def kafka_bootstrap():
    """Addresses of a Kafka: ``SWB_BOOTSTRAP``, else the one that comes with the package, started once."""
    named = os.environ.get("SWB_BOOTSTRAP")
    if named:
        yield named
        return
    with embedded() as kafka:
        yield kafka.bootstrap


@pytest.fixture(scope="session")
def cluster3():
    """Three nodes, each of which a test may stop, kill and start again; it leaves them all running."""
    with embedded(nodes=3) as kafka:
        yield kafka


@pytest.fixture(scope="module")
def frail_offsets():
    """Three nodes; the committed offsets live on one of them."""
    with embedded(nodes=3, properties={"offsets.topic.replication.factor": "1"}) as kafka:
        yield kafka


def embedded(**options):
    """The package's own Kafka as a context manager; skips where it cannot be had, unless ``SWB_REQUIRE_KAFKA``."""
    try:
        jars()
    except Unavailable as error:
        if os.environ.get("SWB_REQUIRE_KAFKA"):
            pytest.fail(f"SWB_REQUIRE_KAFKA is set: {error}")
        pytest.skip(str(error))
    return EmbeddedKafka(**options)


TOY = {
    "xsd/toy/note.xsd": """
        <xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:toy" xmlns="urn:toy"
                   elementFormDefault="qualified">
          <xs:element name="Note" type="NoteType"/>
          <xs:complexType name="NoteType"><xs:sequence>
            <xs:element name="Number" type="xs:string"/>
            <xs:element name="Date" type="xs:date"/>
            <xs:element name="To" type="xs:string" minOccurs="0"/>
            <xs:element name="Line" type="LineType" minOccurs="0" maxOccurs="unbounded"/>
          </xs:sequence></xs:complexType>
          <xs:complexType name="LineType"><xs:simpleContent><xs:extension base="xs:string">
            <xs:attribute name="kind" type="xs:string"/>
          </xs:extension></xs:simpleContent></xs:complexType>
        </xs:schema>""",
    "mappings/documents/toy/note-1/document.toml": """
        name = "A note"
        root = "{urn:toy}Note"
        schema = "toy/note.xsd"
        namespaces = { n = "urn:toy" }""",
    "mappings/documents/toy/note-1/mapping.toml": """
        version = "1"
        fields = [
          { to = "TypeCode", value = "864", why = "all there is" },
          { to = "FunctionCode", value = "9", why = "all there is" },
          { to = "IssueDateTime", from = "n:Date", transform = "date" },
          { to = "AdditionalDocument/ID", id = "D005", from = "n:Number", required = true },
        ]
        drops = [{ from = "n:To", why = "nobody asks" }, { from = "n:Line/@kind", why = "nobody asks" }]
        [[groups]]
        to = "GoodsShipment/GovernmentAgencyGoodsItem"
        each = "n:Line"
        fields = [
          { to = "SequenceNumeric", transform = "position" },
          { to = "Commodity/Description", from = "." },
        ]""",
    "mappings/documents/toy/note-1/rules.toml": """
        [[rules]]
        id = "TOY-1"
        test = "n:Number != '13'"
        at = "n:Number"
        message = { en = "Number 13 is unlucky.", es = "El número 13 trae mala suerte." }""",
    "mappings/documents/toy/note-1/samples/first.xml": """
        <Note xmlns="urn:toy"><Number>1</Number><Date>2026-05-04</Date><Line>Tea</Line></Note>""",
    "mappings/documents/toy/note-1/samples/refused-TOY-1.toml": """
        base = "documents/toy/note-1/samples/first.xml"
        change = [{ path = "//*[local-name() = 'Number']", value = "13" }]""",
}
"""A format of its own: what tests of the tools around the line change at will."""


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    """A catalogue of one small format, and the folder it lies in."""
    root = tmp_path / "toy"
    for name, text in TOY.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).strip() + "\n", encoding="utf-8")
    shutil.copytree(catalogue.data_root() / "xsd/wco", root / "xsd/wco")
    (root / "mappings/codelists").mkdir()
    shutil.copy(catalogue.data_root() / "mappings/codelists/identifiers.toml", root / "mappings/codelists")
    monkeypatch.setattr(catalogue, "data_root", lambda: root)
    return root


@pytest.fixture
def swb(monkeypatch, capsys):
    """``swb`` in this process: exit code, standard output, standard error."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["swb", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr()
        return left.value.code or 0, said.out, said.err

    return run
