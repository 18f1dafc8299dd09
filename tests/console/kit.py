"""Tracking events as the relay writes them, in numbers."""

import hashlib
import random
from datetime import UTC, datetime, timedelta

BEGAN = datetime(2026, 6, 1, tzinfo=UTC)
SENDERS = [f"xx-agency-{n}" for n in range(12)]
WINDOWS = [f"xx-window-{n}" for n in range(6)]
TYPES = ["origin/aladi-cod-1.8", "sps/uncefact-1", "invoice/ubl-2.1", "despatch/ubl-2.1"]


def at(seconds):
    return (BEGAN + timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message(number):
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def story(number, chance=None):
    """All events of one document, in order: about five."""
    chance = chance or random.Random(number)
    name, seconds = message(number), number * 2.0
    common = {"v": 1, "message_id": name, "conversation_id": name, "sender": SENDERS[number % len(SENDERS)]}
    about = {**common, "document_type": TYPES[number % len(TYPES)], "sender_id": f"D-{number:07}",
             "number": f"CO-2026-{number:07}", "declarant": f"20{number % 5000:09}"}  # fmt: skip
    opening = {**about, "sha256": f"{number:064x}", "origin": f"swb.x.outbox/{number % 4}/{number}", "size": 4000}
    if number % 10 == 9:
        codes = [f"rule.XX-{chance.randrange(200):03}" for _ in range(3)]
        return [{**opening, "event": "refused", "at": at(seconds), "findings": [{"code": c} for c in codes]}]
    windows = WINDOWS[number % 5 : number % 5 + 2]
    told = [{**opening, "event": "received", "at": at(seconds), "mapping": f"{about['document_type']}@1+{'0' * 8}",
             "routed": [{"window": w, "rule": "XX-1"} for w in windows],
             "findings": [{"code": "mapping.unmapped", "severity": "warning"}]}]  # fmt: skip
    for window in windows:
        told.append({**common, "event": "delivered", "at": at(seconds), "window": window})
        if chance.random() < 0.97:
            verdict = "accepted" if chance.random() < 0.8 else "rejected"
            codes = [] if verdict == "accepted" else [{"code": f"W{chance.randrange(90):04}"}]
            told.append({**common, "event": "decided", "at": at(seconds + 5), "window": window, "state": verdict,
                         "standing": verdict, "verdict": verdict, "mrn": f"26XX{number:010}{window[-1]}",
                         "findings": codes})  # fmt: skip
    return told


def records(numbers, partitions=4):
    """Partition, offset and event, as a consumer hands them over."""
    offsets = [0] * partitions
    for number in numbers:
        partition = number % partitions
        for event in story(number):
            yield partition, offsets[partition], event
            offsets[partition] += 1


def letter(position, **more):
    """A dead letter as the read model keeps it."""
    told = {"partition": 0, "position": position, "at": 1, "reason": "too-large", "destination": "swb.pe-vuce.inbox"}
    return {
        **told,
        "origin": "",
        "message_id": "",
        "window": "",
        "size": 3,
        "state": "open",
        "by": "",
        "why": "",
        **more,
    }
