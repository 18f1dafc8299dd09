"""``swb replay``: each document again on the line, held against what was expected."""

from tests.support.cli_kit import objects


def test_every_document_is_told_and_a_refusal_is_no_fault_of_the_replay(swb, notes):
    code, out, _ = swb("replay", notes.good, notes.bad, "-o", "json")
    assert code == 0
    assert [one["outcome"] for one in objects(out)] == ["accepted", "refused"]


def test_what_differs_from_what_was_expected_is_told(swb, notes, tmp_path):
    expected = tmp_path / "expected"
    expected.mkdir()
    assert swb("replay", notes.good, "--expect", expected, "--update")[0] == 0
    assert swb("replay", notes.good, "--expect", expected)[0] == 0
    (payload,) = expected.glob("*.payload.xml")
    payload.write_text(payload.read_text().replace(">1<", ">2<", 1))
    assert swb("replay", notes.good, "--expect", expected)[0] == 1
