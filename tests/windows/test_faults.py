"""A fault script: what it does to a window's answers, the same to the same message every time."""

import pytest
from lxml import etree

from broker.model.errors import Misconfigured
from broker.windows.faults import Faults, play, read_faults
from broker.windows.respond import WindowReply, derived

MESSAGES = [derived("message", str(n)) for n in range(2000)]
REPLIES = (WindowReply("a", b"k", b"<first/>", 1.0), WindowReply("b", b"k", b"<second/>", 2.0))


def test_without_faults_nothing_changes():
    assert play(Faults(), MESSAGES[0], REPLIES) == REPLIES


def test_each_fault_does_what_it_says():
    assert play(Faults(fail=1), MESSAGES[0], REPLIES) == ()
    assert [r.delay for r in play(Faults(delay=5), MESSAGES[0], REPLIES)] == [6.0, 7.0]
    assert [r.delay for r in play(Faults(late=1, late_by=60), MESSAGES[0], REPLIES)] == [61.0, 62.0]
    assert [r.id for r in play(Faults(disorder=1), MESSAGES[0], REPLIES)] == ["b", "a"]
    assert sorted(r.id for r in play(Faults(twice=1), MESSAGES[0], REPLIES)) == ["a", "a", "b", "b"]
    rubbish = play(Faults(rubbish=1), MESSAGES[0], REPLIES)
    assert len(rubbish) == 3
    assert len({r.id for r in rubbish}) == 3
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(next(r.content for r in rubbish if r.id not in {"a", "b"}))


@pytest.mark.proof
@pytest.mark.parametrize("name", ["fail", "late", "twice", "disorder", "rubbish"])
def test_a_share_hits_about_that_share_of_messages_and_always_the_same(name):
    faults = Faults(**{name: 0.25})
    hit = [m for m in MESSAGES if play(faults, m, REPLIES) != REPLIES]
    assert 0.2 < len(hit) / len(MESSAGES) < 0.3
    assert hit == [m for m in MESSAGES if play(faults, m, REPLIES) != REPLIES]


def test_a_fault_script_is_read_and_nonsense_in_it_is_told():
    assert read_faults("") == {}
    assert read_faults('{"pe-vuce": {"twice": 0.5, "delay": 2}}') == {"pe-vuce": Faults(twice=0.5, delay=2)}
    for text, complaint in [
        ("{", "not JSON"),
        ("[]", "must be an object"),
        ('{"pe-vuce": {"thrice": 1}}', "known are"),
        ('{"pe-vuce": {"twice": 2}}', "a share from 0 to 1"),
        ('{"pe-vuce": {"delay": -1}}', "seconds, 0 or more"),
        ('{"pe-vuce": {"delay": true}}', "seconds, 0 or more"),
    ]:
        with pytest.raises(Misconfigured, match=complaint):
            read_faults(text)
