"""A decision as the Responses that a window sends: steps, ids, numbers, hours; the same delivery, the same bytes."""

import pytest

from broker.model.participants import AnswerStep
from broker.windows.respond import countable, opens_in, respond
from tests.support.payload_kit import NOW, payload, rule, window


class Chains:
    """Stands in for broker.content.pointers: the chain is the path itself."""

    def chain(self, path):
        return (path,)


def answers(*rules, **given):
    asked = window(*rules, **given)
    return respond(asked.decide(payload(), NOW), payload(), asked.participant, Chains(), NOW)


def test_an_acceptance_takes_the_windows_steps_and_only_the_last_is_the_verdict():
    received, accepted = answers()
    assert [a.function_code for a in (received, accepted)] == ["02", "01"]
    assert [a.accepted for a in (received, accepted)] == ["", "2026-03-10T12:00:00Z"]
    assert [s.code for s in accepted.statuses] == ["39"]
    assert received.answer_id != accepted.answer_id
    assert {a.reference for a in (received, accepted)} == {"0123456789abcdef0123456789abcdef"}
    assert received.mrn == accepted.mrn
    assert received.mrn.startswith("ZZ-")
    assert received.mrn[3:].isdigit()


def test_a_rejection_carries_every_objection_with_its_code_and_pointer():
    (rejected,) = answers(rule("false()", code="Z9", at="Exporter/ID"), rule("false()", id="ZZ-2"))
    assert rejected.rejected
    assert not rejected.accepted
    assert [(e.code, e.text, e.pointer) for e in rejected.errors] == [
        ("Z9", "No.", ("/MetaData/Declaration/Exporter/ID",)),
        ("Z1", "No.", ("/MetaData/Declaration",)),
    ]


def test_what_a_window_answers_to_the_same_delivery_is_the_same_every_time():
    assert answers() == answers()


def test_a_step_may_name_nothing_but_the_windows_own_number():
    (step,) = answers(accepted=(AnswerStep("01", by="mrn"),))
    assert step.reference == ""
    assert step.mrn


@pytest.mark.parametrize(
    ("opening", "seconds"),
    [
        ("", 0),
        ("00:00-24:00+08:00", 0),
        ("07:00-19:00-05:00", 0),  # 12:00Z is 07:00 there
        ("08:30-17:00-05:00", 90 * 60),
        ("07:00-19:00+08:00", 11 * 3600),  # 20:00 there
        ("08:00-12:00+00:00", 20 * 3600),
    ],
)
def test_a_window_answers_when_it_is_open(opening, seconds):
    assert opens_in(opening, NOW) == seconds


def test_a_path_is_countable_up_to_what_only_content_tells_apart():
    assert countable("/D/Item[2]/Info[Code='SEAL']/Text") == "/D/Item[2]"
    assert countable("/D/Item[2]/ID") == "/D/Item[2]/ID"
