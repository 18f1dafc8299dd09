"""The status dictionary (``mappings/statuses``): canonical states, and what each list calls them, both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from broker.model.errors import Misconfigured
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from broker.model.answers import Answer

STAGES = ("received", "delivered", "decided")
VERDICTS = ("", "accepted", "rejected", "cancelled")


@dataclass(frozen=True, slots=True)
class State:
    """One canonical state of a message; the head of ``states.toml`` says what each part means."""

    code: str
    stage: str
    rank: int
    verdict: str
    weak: bool
    title: Mapping[str, str]
    meaning: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code of a list means: a canonical state, or the reason why none."""

    state: str
    why: str
    name: str = ""

    @property
    def is_mapped(self) -> bool:
        return bool(self.state)


@dataclass(frozen=True, slots=True)
class Wording:
    """What a list calls a canonical state: its code, with a caveat where need be, or the reason why it has none."""

    code: str
    why: str

    @property
    def is_mapped(self) -> bool:
        return bool(self.code)


@dataclass(frozen=True, slots=True)
class StatusList:
    """One published list of statuses; ``11/39`` is function code 11 with status 39."""

    id: str
    name: str
    element: str
    agency: str
    edition: str
    codes: Mapping[str, Meaning]
    states: Mapping[str, Wording]
    rest: str
    """Why a code that is not named in ``codes`` has no state."""

    def means(self, code: str) -> Meaning:
        return self.codes.get(code) or Meaning("", self.rest)


@dataclass(frozen=True, slots=True)
class Statuses:
    """The whole dictionary."""

    states: Mapping[str, State]
    lists: Mapping[str, StatusList]

    def means(self, answer: Answer, dialect: str, own: Mapping[str, str] | None = None) -> Meaning:
        """What an answer says: by the window's own table first, then by the list it speaks (``dms``, ``un-1225`` ...).

        A function code with a status is looked up as ``11/39`` before the bare code. Where the code says nothing, the
        time of acceptance, rejection or cancellation in the answer does.
        """
        wanted = [*(f"{answer.function_code}/{s.code}" for s in answer.statuses), answer.function_code]
        for code in wanted:
            if own and code in own:
                return Meaning(own[code], "")
        known = self.lists[dialect]
        found = next((known.codes[code] for code in wanted if code in known.codes), None)
        if found and found.is_mapped:
            return found
        dated = {"cancelled": answer.cancelled, "rejected": answer.rejected, "accepted": answer.accepted}
        state = next((state for state, moment in dated.items() if moment), "")
        why = found.why if found else f"{known.name} has no {answer.function_code}: {known.rest}"
        return Meaning(state, why)

    def told(self, state: str, list_id: str) -> Wording:
        """What a list calls a canonical state."""
        return self.lists[list_id].states[state]


def load(folder: Path) -> Statuses:
    """The dictionary of a folder; raises Misconfigured for a pair that is neither mapped nor explained."""
    table = Table.read(folder / "states.toml")
    states = {code: _state(code, table.table(code)) for code in table.unread()}
    lists = {file.stem: _list(file, states) for file in sorted((folder / "lists").glob("*.toml"))}
    return Statuses(states, lists)


def _state(code: str, table: Table) -> State:
    state = State(
        code=code,
        stage=table.choice("stage", STAGES, ""),
        rank=table.whole("rank", 0) or 0,
        verdict=table.choice("verdict", VERDICTS, ""),
        weak=table.flag("weak", default=False),
        title=table.names("title"),
        meaning=table.text("meaning"),
    )
    table.end()
    return state


def _list(file: Path, states: Mapping[str, State]) -> StatusList:
    table = Table.read(file)
    codes, told = table.table("codes"), table.table("states")
    found = StatusList(
        id=file.stem,
        name=table.text("name"),
        element=table.text("element"),
        agency=table.text("agency"),
        edition=table.text("edition"),
        codes={code: _meaning(codes.table(code)) for code in codes.unread()},
        states={code: _wording(told.table(code)) for code in told.unread()},
        rest=table.text("rest"),
    )
    table.end()
    _refuse_gaps(file, found, states)
    return found


def _meaning(table: Table) -> Meaning:
    meaning = Meaning(table.text("state", ""), table.text("why", ""), table.text("name"))
    table.end()
    if not (meaning.state or meaning.why):
        raise table.wrong("give the canonical state, or why there is none")
    return meaning


def _wording(table: Table) -> Wording:
    wording = Wording(table.text("code", ""), table.text("why", ""))
    table.end()
    if not (wording.code or wording.why):
        raise table.wrong("give the code, or why there is none")
    return wording


def _refuse_gaps(file: Path, found: StatusList, states: Mapping[str, State]) -> None:
    if set(found.states) != set(states):
        odd = sorted(set(found.states) ^ set(states))
        raise Misconfigured(f"{file}: states must name each canonical state once; look at {', '.join(odd)}")
    unknown = sorted({m.state for m in found.codes.values() if m.state} - set(states))
    if unknown:
        raise Misconfigured(f"{file}: {', '.join(unknown)} is no canonical state")
    strange = sorted({w.code for w in found.states.values() if w.code} - set(found.codes))
    if strange:
        raise Misconfigured(f"{file}: states use {', '.join(strange)}, which codes does not name")
