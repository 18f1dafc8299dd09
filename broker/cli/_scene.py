"""The documents of the demo, and what becomes of each, learnt from the topics as any participant would."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from broker.relay import headers, ids, topics
from broker.relay.records import Produced
from broker.toml_table import Table
from broker.workbench.samples import read_sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from broker.registry.statuses import State
    from broker.relay.records import Consumed

OUTCOMES = ("accepted", "partly", "rejected", "not_routed", "refused")


@dataclass(eq=False)
class Sent:
    """One document that was published, and what was heard of it since."""

    name: str
    sender: str
    content: bytes
    expect: str
    ce_id: str
    at: int = 0
    """When it was published, in milliseconds."""
    type: str = ""
    receipt: int | None = None
    """After how many milliseconds the receipt came; the same for the last answer in ``time``."""
    time: int = 0
    windows: dict[str, str] = field(default_factory=dict)
    """Each window it went to, with what that said last: a canonical state, or nothing yet."""
    is_routed: bool = False
    """Whether all its windows are known; an answer may be heard before."""
    ended: str = ""
    """``refused`` or ``not_routed``, when no window decides."""
    findings: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What is held against it, and by whom: a window, or the broker (an empty name)."""

    @property
    def message_id(self) -> str:
        return ids.message_id(self.sender, self.ce_id)

    @property
    def record(self) -> Produced:
        given = {
            headers.CE_VERSION: "1.0",
            headers.CE_ID: self.ce_id,
            headers.CE_SOURCE: self.sender,
            headers.CE_TYPE: headers.DOCUMENT_TYPE_OF_EVENT,
        }
        key = self.name.encode()
        return Produced(topics.outbox(self.sender), key, self.content, headers.encoded(given))

    def verdicts(self, states: Mapping[str, State]) -> list[str]:
        """What each window decided: accepted, rejected, cancelled; empty where it has not yet."""
        return [states[state].verdict if state in states else "" for state in self.windows.values()]

    def is_done(self, states: Mapping[str, State]) -> bool:
        if self.ended or self.receipt is None or not self.is_routed:
            return bool(self.ended)
        return bool(self.windows) and all(self.verdicts(states))

    def outcome(self, states: Mapping[str, State]) -> str:
        """One of OUTCOMES; empty while something is missing."""
        if self.ended or not self.is_done(states):
            return self.ended
        accepted = self.verdicts(states).count("accepted")
        return "accepted" if accepted == len(self.windows) else "partly" if accepted else "rejected"


def read_scene(mappings: Path, run: str) -> list[Sent]:
    """The documents that ``mappings/demo.toml`` lists; ``run`` makes their ids those of this run."""
    table = Table.read(mappings / "demo.toml")
    found = []
    for number, entry in enumerate(table.tables("documents"), 1):
        content = read_sample(mappings / entry.text("file"), mappings).content
        sent = Sent(
            name=entry.text("name"),
            sender=entry.text("sender"),
            content=content,
            expect=entry.choice("expect", OUTCOMES, "accepted"),
            ce_id=f"demo-{run}-{number:02}",
        )
        entry.end()
        found.append(sent)
    table.end()
    return found


_ENDS = frozenset({"not_routed", "failed"})
"""Notices after which no window will answer; others, as of a number used twice, end nothing."""


class Ears:
    """Hears the inboxes of the senders, and the tracking of who got what."""

    def __init__(self, sent: Iterable[Sent]) -> None:
        self._sent = {one.message_id: one for one in sent}
        self.topics = [topics.TRACKING, *sorted({topics.inbox(one.sender) for one in self._sent.values()})]

    def hear(self, record: Consumed) -> None:
        """Note what one record says of one of the documents."""
        key = (record.key or b"").decode("utf-8", "replace")
        one = self._sent.get(record.header(headers.MESSAGE_ID) or key)
        if one is None:
            return
        if record.topic == topics.TRACKING:
            event = json.loads(record.content)
            one.is_routed = one.is_routed or event["event"] == "received"
            for routed in event.get("routed") or ():
                one.windows.setdefault(routed["window"], "")
            return
        self._inbox(one, record)

    @staticmethod
    def _inbox(one: Sent, record: Consumed) -> None:
        kind, after = record.header(headers.CE_TYPE).removeprefix("swb."), record.timestamp - one.at
        window, state = record.header(headers.WINDOW), record.header(headers.STATE_HEADER)
        one.type = record.header(headers.DOCUMENT_TYPE) or one.type
        if kind == headers.Kind.RECEIPT:
            one.receipt = after
            return
        one.time = max(one.time, after)
        if kind == headers.Kind.ANSWER:
            one.windows[window] = state
        elif kind == headers.Kind.REFUSAL:
            one.ended = "refused"
        elif kind == headers.Kind.NOTICE and state in _ENDS:
            one.ended = state
        found = json.loads(record.header(headers.FINDINGS) or "[]")
        one.findings += [
            (window, f) for f in found if f.get("severity") != "warning" and (window, f) not in one.findings
        ]
