"""``swb explain``: where values come from and what is left out, for people and for programs."""

from tests.support.cli_kit import objects


def test_each_value_with_its_place(swb, notes):
    code, out, _ = swb("explain", notes.good)
    assert code == 0
    assert "Declaration/AdditionalDocument/ID D005  1\n      <- /Note/Number (line 1): 1" in out
    assert "<- all there is" in out


def test_the_same_as_json(swb, notes):
    (found,) = objects(swb("explain", notes.good, "-o", "json")[1])
    (number,) = [one for one in found["lineage"] if one["wco_id"] == "D005"]
    assert number["sources"] == [{"path": "/Note/Number", "line": 1, "value": "1"}]
    assert found["counts"]["leaves"] == len(found["loss"]) == 3
    assert {one["state"] for one in found["loss"]} == {"carried"}


def test_a_refused_document_is_no_success(swb, notes):
    code, out, err = swb("explain", notes.bad)
    assert (code, out) == (1, "")
    assert "TOY-1" in err
