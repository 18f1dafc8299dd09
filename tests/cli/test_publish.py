"""``swb publish``: documents under ids that are derived, so that the same file is the same message."""

import pytest

from broker.kafka import reading
from broker.relay import ids
from broker.relay.records import Place
from tests.support.cli_kit import objects


@pytest.fixture
def written(monkeypatch):
    found = []

    def write(_, records):
        found.extend(records)
        return [Place(one.topic, 0, n) for n, one in enumerate(records)]

    monkeypatch.setattr(reading, "write", write)
    return found


def test_a_file_is_named_by_its_content_or_as_it_is_told(swb, written, tmp_path):
    file = tmp_path / "a.xml"
    file.write_bytes(b"<a/>")
    (told,) = objects(swb("publish", file, "--as", "pe-sunat", "-o", "json")[1])
    assert told["message_id"] == ids.message_id("pe-sunat", ids.content_id(b"<a/>"))
    (named,) = objects(swb("publish", file, "--as", "pe-sunat", "--id", "F-1", "--key", "k", "-o", "json")[1])
    assert named["message_id"] == ids.message_id("pe-sunat", "F-1")
    assert [(one.topic, one.key, one.value, one.header("ce_source")) for one in written] == [
        ("swb.pe-sunat.outbox", key, b"<a/>", "pe-sunat") for key in (None, b"k")
    ]


def test_one_id_names_one_document(swb, written, tmp_path):
    files = [tmp_path / name for name in ("a", "b")]
    for file in files:
        file.touch()
    code, _, err = swb("publish", *files, "--as", "pe-sunat", "--id", "F-1")
    assert (code, "--id names one document" in err, written) == (2, True, [])
