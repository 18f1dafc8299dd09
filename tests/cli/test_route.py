"""``swb route``: who takes a document, by which rule, and why not."""

from broker import catalogue
from tests.support.cli_kit import objects

SAMPLES = catalogue.data_root() / "mappings/documents/origin/aladi-cod-1.8/samples"


def test_route_tells_the_rule_and_the_reasons(swb):
    sample = SAMPLES / "a35-complete.xml"
    code, out, _ = swb("route", sample, "-o", "json")
    [told] = objects(out)
    assert code == 0
    assert told["windows"] == [r["participant"] for r in told["routings"] if r["accepted"]]
    assert told["windows"]
    assert all(r["rule"] for r in told["routings"] if r["accepted"])
    assert all(r["reason"] and r["rule"] is None for r in told["routings"] if not r["accepted"])
    windows = {p.code for p in catalogue.load().windows()}
    assert {r["participant"] for r in told["routings"]} == windows
    code, out, _ = swb("route", sample)
    assert code == 0
    assert all(f"{window}: " in out for window in windows)


def test_a_document_that_no_window_takes_is_not_routed(swb, notes):
    code, out, _ = swb("route", notes.good)
    assert code == 1
    assert f"not_routed {notes.good}" in out
