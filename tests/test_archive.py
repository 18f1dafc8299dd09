"""Catalogues kept by digest; an answer comes home under the mapping that made its document's payload."""

import gzip
import io
import shutil
import tarfile
from datetime import UTC, datetime

import pytest

from broker import catalogue as catalogues
from broker.answers.history import Answered
from broker.answers.way_back import Notification
from broker.answers.way_back import load as load_home
from broker.answers.wco_response import read
from broker.archive import Archive, packed, unpack
from broker.line.process import process
from broker.model.documents import Message
from broker.model.errors import Failed, Misconfigured
from broker.model.ids import MessageId
from broker.paths import data_root
from broker.windows.decide import windows
from broker.windows.respond import reply
from broker.workbench.samples import read_sample

ID = MessageId("7" * 32)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
COD = "mappings/documents/origin/aladi-cod-1.8/mapping.toml"


@pytest.fixture
def archive(tmp_path):
    (tmp_path / "store").mkdir()
    return Archive(f"file://{tmp_path}/store", tmp_path / "unpacked")


@pytest.fixture
def changed(tmp_path):
    """The product's data, one mapping of which was given other rows since, and another type gone."""
    root = tmp_path / "changed"
    for folder in ("mappings", "xsd"):
        shutil.copytree(data_root() / folder, root / folder, ignore=shutil.ignore_patterns("samples"))
    file = root / COD
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('version = "', 'version = "9', 1), encoding="utf-8")
    return root


def answered(home, window, sample):
    """A document and the verdict of a window on it, read from the bytes the window sent."""
    content = read_sample(data_root() / "mappings" / "participants" / sample, data_root() / "mappings").content
    outcome = process(Message(ID, content), home.catalogue)
    record = reply(windows(home.catalogue)[window], outcome.payload.content, home.pointers, NOW)[-1]
    return (
        content,
        home.catalogue.document_types[outcome.document_type].mapping.id,
        read(record.content, window, "1")[-1],
    )


def told(home, content, mapping, answer):
    meaning = home.meaning(answer)
    fact = Answered(at="2026-06-01T12:00:00.000Z", answer=answer, state=meaning.state, why=meaning.why)
    notification = Notification(
        "answer", ID, "co-ica", "", meaning.state, answer.window, fact.at, (), fact, content, mapping
    )
    return home(notification).findings


@pytest.mark.proof
def test_an_answer_comes_home_under_the_mapping_that_made_the_payload(archive, changed):
    first = catalogues.load()
    archive.keep(data_root(), first)
    before = load_home(data_root(), first)
    content, mapping, answer = answered(before, "pe-vuce", "pe-vuce/samples/PE-AGREEMENT.toml")
    expected = told(before, content, mapping, answer)
    assert expected[0].pointer
    assert expected[0].line
    now = catalogues.load(changed)
    assert mapping not in {kind.mapping.id for kind in now.document_types.values()}
    alone = load_home(changed, now)
    assert told(alone, content, mapping, answer)[-1].code == "answer.source-gone"
    archive.keep(changed, now)
    again = Archive(f"file://{archive._folder.parent}/store", archive._folder.parent / "elsewhere")
    assert told(load_home(changed, now, again.holding), content, mapping, answer) == expected
    shutil.rmtree(changed / "mappings/documents/origin")
    gone = catalogues.load(changed)
    assert told(load_home(changed, gone, again.holding), content, mapping, answer) == expected


def test_what_is_kept_is_the_catalogue(archive, toy):
    digest = archive.keep(toy, catalogues.load(toy))
    assert digest == catalogues.catalogue_digest(toy)
    assert archive.keep(toy, catalogues.load(toy)) == digest, "the same again changes nothing"
    assert packed(toy) == packed(toy)
    kept = archive.load(digest)
    ours = catalogues.load(toy)
    assert kept.document_types.keys() == ours.document_types.keys()
    assert kept.document_types["toy/note-1"].mapping.id == ours.document_types["toy/note-1"].mapping.id
    assert archive.digests() == [digest]
    assert archive.matching(digest[:10]) == digest
    with pytest.raises(Misconfigured, match=f"no catalogue begins with xy; kept are {digest[:12]}"):
        archive.matching("xy")


@pytest.mark.parametrize("mapping", ["", "toy/note-1@1+0", f"toy/note-1@1+{'0' * 64}"])
def test_a_mapping_that_nobody_kept(archive, mapping):
    assert archive.holding(mapping) is None
    assert archive.load("0" * 64) is None


def test_what_was_tampered_with_is_not_believed(archive, toy, tmp_path):
    digest = archive.keep(toy, catalogues.load(toy))
    stored = tmp_path / "store" / "catalogues" / digest
    shutil.copytree(toy, tmp_path / "other")
    (tmp_path / "other/mappings/documents/toy/note-1/mapping.toml").write_text('version = "2"', encoding="utf-8")
    stored.write_bytes(packed(tmp_path / "other"))
    with pytest.raises(Failed, match="is not what was put there"):
        archive.load(digest)
    stored.write_bytes(b"no archive")
    with pytest.raises(Failed, match="cannot be unpacked"):
        archive.load(digest)
    assert [f.name for f in (tmp_path / "unpacked").iterdir()] == []


def test_an_archive_writes_nothing_elsewhere(tmp_path):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("../escaped.toml")
        archive.addfile(entry, io.BytesIO())
    with pytest.raises(Failed, match="which is no file of a catalogue"):
        unpack(gzip.compress(made.getvalue()), tmp_path / "in")
    assert not (tmp_path / "escaped.toml").exists()
