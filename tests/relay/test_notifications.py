"""Notifications: in the sender's form where it can be had, plain where it cannot, and never without end."""

import json
from dataclasses import replace

import pytest

from broker.answers.way_back import Notification, Rendered
from broker.model.findings import Finding
from broker.relay import notifications, topics
from broker.relay.headers import Kind
from broker.relay.notifications import notify_failed, notify_sender
from tests.support.lane_kit import RULES, events, kinds, to

FINDINGS = tuple(Finding(f"A-{n}", "x" * 50) for n in range(100))
REFUSAL = Notification(Kind.REFUSAL, "m" * 32, "aa-farm", "toy/one", "refused", findings=FINDINGS)


def sent(world, render, notification=REFUSAL):
    world.rules = replace(RULES, render=render)
    batch = world.batch()
    notify_sender(batch, notification, b"k", cause="c")
    return [produced for _, produced in batch.out]


def in_form(notification):
    found = notification.findings[: notification.most]
    return Rendered(b"<x/>" * len(found), "application/xml", notification.state, tuple(found))


def test_the_record_says_in_headers_what_its_form_says(world):
    (record,) = sent(world, in_form)
    assert (record.topic, record.key, record.header("ce_type"), record.header("swb_state")) == (
        topics.inbox("aa-farm"), b"k", "swb.refusal", "refused",
    )  # fmt: skip
    assert [f["code"] for f in json.loads(record.header("swb_findings"))] == [f.code for f in FINDINGS]


def test_a_form_that_fails_keeps_nothing_from_its_reader(world):
    def broken(_):
        raise ZeroDivisionError

    (record,) = sent(world, broken)
    assert (record.header("content-type"), json.loads(record.value)["state"]) == ("application/json", "refused")


@pytest.mark.parametrize(("room", "content_type"), [(40, "application/xml"), (2, "application/json")])
def test_what_has_no_room_is_left_out(world, monkeypatch, room, content_type):
    monkeypatch.setattr(notifications, "LARGEST", room)
    (record,) = sent(world, in_form)
    assert record.header("content-type") == content_type
    assert content_type == "application/json" or 0 < len(record.value) <= room


def test_a_delivery_that_failed_is_a_notice_a_fact_and_an_event(world):
    batch = world.batch()
    notify_failed(batch, "m" * 32, "aa-farm", b"k", window="xx-win", reason="missing")
    written = [produced for _, produced in batch.out]
    assert (kinds(written, "aa-farm"), events(written), len(to(written, topics.FACTS))) == (
        ["swb.notice"],
        ["failed"],
        1,
    )
