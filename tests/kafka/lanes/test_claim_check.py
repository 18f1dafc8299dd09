import pytest

from broker.kafka.lanes.claim_check import Claims
from broker.model.errors import Failed
from broker.relay import headers, topics
from broker.relay.ids import content_id
from broker.relay.records import Consumed, Produced
from broker.settings import Settings

BIG = b"x" * 2000


@pytest.fixture
def claims(tmp_path):
    return Claims(Settings(claims=tmp_path.as_uri(), inline_bytes=1000))


def read_back(produced):
    return Consumed(produced.topic, 0, 0, produced.key, produced.value, produced.headers)


async def test_a_large_content_goes_to_the_store_and_comes_back(claims):
    record = Produced(topics.retry("pe-vuce"), b"k", BIG, (("a", b"1"),))
    assert claims.is_large(record)
    stowed = await claims.stow(record)
    assert (stowed.key, stowed.value) == (b"k", b"")
    assert stowed.header(headers.CLAIM) == f"{content_id(BIG)} 2000"
    back = await claims.fetch(read_back(stowed))
    assert (back.value, back.headers) == (BIG, (("a", b"1"),))
    assert claims.read(read_back(stowed)) == back


@pytest.mark.parametrize("topic", [topics.inbox("pe-vuce"), topics.INTAKE, topics.FACTS, topics.TRACKING])
def test_nothing_but_retry_and_dead_letters_is_claimed(claims, topic):
    assert not claims.is_large(Produced(topic, b"k", BIG))
    assert not claims.is_large(Produced(topics.DEADLETTER, b"k", b"x" * 1000))
    assert claims.is_large(Produced(topics.DEADLETTER, b"k", b"x" * 1001))


async def test_a_content_that_changed_in_the_store_is_not_believed(claims, tmp_path):
    stowed = await claims.stow(Produced(topics.DEADLETTER, b"k", BIG))
    (tmp_path / content_id(BIG)).write_bytes(b"other")
    with pytest.raises(Failed, match="not what was put there"):
        await claims.fetch(read_back(stowed))


async def test_a_content_that_is_gone_is_said(claims, tmp_path):
    stowed = await claims.stow(Produced(topics.DEADLETTER, b"k", BIG))
    (tmp_path / content_id(BIG)).unlink()
    with pytest.raises(Failed, match="cannot be read"):
        await claims.fetch(read_back(stowed))


async def test_a_store_that_takes_nothing_is_said(tmp_path):
    (tmp_path / "file").write_text("in the way")
    claims = Claims(Settings(claims=(tmp_path / "file" / "below").as_uri(), inline_bytes=10))
    with pytest.raises(Failed, match="takes no claim check"):
        await claims.stow(Produced(topics.DEADLETTER, b"k", BIG))
    inline = await claims.stowed(Produced(topics.DEADLETTER, b"k", BIG))
    assert inline.value == BIG


@pytest.mark.parametrize("url", ["nonsense", "ftp://somewhere/x"])
def test_a_setting_that_names_no_store_is_told_at_once(url, monkeypatch, swb):
    monkeypatch.setenv("SWB_CLAIMS", url)
    code, _, error = swb("worker")
    assert (code, f"SWB_CLAIMS {url}: " in error) == (2, True)
