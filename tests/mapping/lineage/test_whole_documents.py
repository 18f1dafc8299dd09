"""Lineage and loss on whole documents: every leaf of a payload has its origin, every leaf of a source its end."""

from pathlib import Path

import pytest
from lxml import etree

from broker import catalogue
from broker.content.detect import detect
from broker.content.xml import leaves
from broker.line.process import explain, process
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.paths import data_root
from broker.workbench.samples import read_sample, sample_files

pytestmark = pytest.mark.proof

CATALOGUE = catalogue.load()
MAPPINGS = data_root() / "mappings"
FOLDERS = (
    "co-aladi-cod", "sps-ecert-can", "ubl-oasis", "peppol-bis3", "peppol-pint-sg", "peppol-pint-aunz", "en16931-ubl",
    "peru-sunat",
)  # fmt: skip


def account(content: bytes) -> bool:
    """Hold the explanation of a document against its translation; False when it is refused."""
    message = Message(NO_MESSAGE_ID, content)
    outcome = process(message, CATALOGUE)
    if outcome.payload is None:
        return False
    told = explain(message, CATALOGUE)
    assert told.content == outcome.payload.content
    assert len(told.lineage) == sum(1 for _ in leaves(etree.fromstring(told.content)))
    # A constant rests on the reason in its row, all else on places of the document.
    assert all(origin.behind or origin.why for origin in told.lineage)
    counts = told.counts
    assert counts["leaves"] == sum(counts[state] for state in ("carried", "folded", "decided", "dropped", "unmapped"))
    assert counts["leaves"] >= sum(1 for _ in leaves(detect(content, CATALOGUE).root)) > 0
    return True


@pytest.mark.parametrize("kind", CATALOGUE.document_types)
def test_the_explanation_is_that_of_the_payload(kind) -> None:
    files = [f for f in sample_files(Path(CATALOGUE.document_types[kind].folder)) if not f.stem.startswith("refused")]
    assert sum(account(read_sample(f, MAPPINGS).content) for f in files)


def test_the_same_of_every_published_sample(reference) -> None:
    files = [f for name in FOLDERS for f in sorted((Path(reference) / "samples" / name).rglob("*")) if f.is_file()]
    assert sum(account(f.read_bytes()) for f in files if f.suffix in {".xml", ".json"}) >= 77
