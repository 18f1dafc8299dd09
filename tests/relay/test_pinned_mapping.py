"""The mapping was changed while an answer was awaited: it comes home as it would have, with path and line."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from broker import catalogue as catalogues
from broker.answers.way_back import load as load_home
from broker.app import rules_of
from broker.archive import Archive
from broker.paths import data_root
from broker.relay import topics
from broker.settings import Settings
from broker.windows.decide import windows
from broker.windows.respond import reply
from tests.relay.test_fault_matrix import BAD, SENDER, WINDOW
from tests.support.world import World, catalogue, rules

pytestmark = pytest.mark.proof
MAPPING = "mappings/documents/sps/sps-certificate-17/mapping.toml"


@pytest.fixture
def changed(tmp_path):
    """The data with another version of the mapping, and what workers kept of the one before."""
    root = tmp_path / "changed"
    for folder in ("mappings", "xsd"):
        shutil.copytree(data_root() / folder, root / folder, ignore=shutil.ignore_patterns("samples"))
    text = (root / MAPPING).read_text(encoding="utf-8")
    (root / MAPPING).write_text(text.replace('version = "', 'version = "9', 1), encoding="utf-8")
    (tmp_path / "store").mkdir()
    archive = Archive(f"file://{tmp_path}/store", tmp_path / "unpacked")
    archive.keep(data_root(), catalogues.load())
    return root, archive


def answered(world, after=None):
    """What the sender gets of a document that the window rejects, the context having changed before the answer."""
    sent = world.send(SENDER, b"k", BAD, ce_id="1")
    (delivery,) = [p for p in sent if p.topic == topics.inbox(WINDOW)]
    at = datetime.fromtimestamp(world.now / 1000, UTC)
    world.context = after or world.context
    for one in reply(windows(catalogue())[WINDOW], delivery.value, rules().render.pointers, at):
        world.send(WINDOW, one.key, one.content, ce_id=one.id)
    return [p.value for p in world.written if p.topic == topics.inbox(SENDER) and p.header("ce_type") == "swb.answer"]


def test_an_answer_comes_home_under_the_mapping_that_translated_its_document(changed):
    root, archive = changed
    expected = answered(World())
    told = b"".join(expected).decode()
    line = BAD[: BAD.index(b"08044")].count(b"\n") + 1
    assert "ram:ApplicableSPSClassification[1]/ram:ClassCode<" in told
    assert f">Line: {line}<" in told
    now = replace(catalogues.load(root), participants=catalogue().participants)
    forgetful = rules_of(Settings(), now, load_home(root, now))
    assert answered(World(), forgetful) != expected, "another mapping finds no places"
    remembering = rules_of(Settings(), now, load_home(root, now, archive.holding))
    assert answered(World(), remembering) == expected
