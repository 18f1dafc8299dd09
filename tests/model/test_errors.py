"""Errors that the broker raises on purpose: one class above all, and each fault by itself."""

from broker.model.errors import BrokerError, Failed, Misconfigured, Refused
from broker.model.findings import Finding


def test_a_refusal_carries_its_findings_and_its_text_names_code_and_place():
    refusal = Refused([Finding("A-1", "no", pointer="/a/b"), Finding("A-2", "no")])
    assert [f.code for f in refusal.findings] == ["A-1", "A-2"]
    assert str(refusal) == "A-1 /a/b; A-2"


def test_several_faults_are_one_error_and_each_stays_by_itself():
    one, two = Misconfigured("a.toml: x"), Misconfigured("b.toml: y")
    both = Misconfigured(faults=[Misconfigured(faults=[one]), two])
    assert both.faults == (one, two)
    assert str(both) == "a.toml: x\nb.toml: y"
    assert one.faults == (one,)


def test_who_catches_the_one_catches_them_all_and_the_world_is_tried_again():
    assert all(issubclass(kind, BrokerError) for kind in (Refused, Failed, Misconfigured))
    assert Failed.retriable
