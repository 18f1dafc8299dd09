"""What takes longer than other lanes may wait: done in a process of its own, where it has a budget of time and memory.

Two parts of a plan read a whole document: the line, and what finds an answer's places in it. Of a large document both
are handed over as bytes and come back as bytes; the plan is made again when they are there. No process is begun here.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from lxml import etree

from broker.content.xml import parser
from broker.mapping.translate import DECLARATION
from broker.relay.limits import OverBudget

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.answers.way_back import Notification, Rendered
    from broker.model.documents import Document, Message, Payload
    from broker.model.outcomes import Outcome

LARGE_BYTES = 200_000
"""Of a document: what is smaller costs a lane a fraction of a second at most."""

_TOO_MUCH = pickle.dumps((False, f"{OverBudget.__name__}: it takes more time or memory than one document may"))


@dataclass(frozen=True, slots=True)
class Task:
    """One call of ``process`` or ``render``."""

    does: Literal["process", "render"]
    argument: bytes

    @property
    def key(self) -> bytes:
        return hashlib.sha256(self.argument).digest() + self.does.encode()

    def packed(self) -> bytes:
        """As it travels."""
        return pickle.dumps((self.does, self.argument))


class DoneElsewhere(Exception):
    """A plan needs what is done elsewhere. What was planned of the batch is of no more use."""

    def __init__(self, task: Task) -> None:
        super().__init__(task.does)
        self.task = task


def carry_out(
    packed: bytes, process: Callable[[Message], Outcome], render: Callable[[Notification], Rendered]
) -> bytes:
    """In the process of its own: what came of a task, an exception told in words."""
    does, argument = pickle.loads(packed)  # noqa: S301 - our own process's words
    given = pickle.loads(argument)  # noqa: S301 - the same
    try:
        result: Any = _light(process(given)) if does == "process" else render(given)
    except MemoryError:
        return _TOO_MUCH
    except Exception as error:  # noqa: BLE001 - it is the lane's to say
        return pickle.dumps((False, f"{type(error).__name__}: {error}"[:500]))
    return pickle.dumps((True, result))


class Elsewhere:
    """``process`` and ``render`` of one lane: at once where the document is small, else what was done elsewhere."""

    def __init__(
        self,
        process: Callable[[Message], Outcome],
        render: Callable[[Notification], Rendered],
        recognise: Callable[[Message], Document | None],
    ) -> None:
        self._process, self._render, self._recognise = process, render, recognise
        self._done: dict[bytes, bytes] = {}

    def learn(self, task: Task, result: bytes | None) -> None:
        """What came of a task, None where it was too much; kept until the batch that needs it is committed."""
        self._done[task.key] = _TOO_MUCH if result is None else result

    def forget(self) -> None:
        self._done.clear()

    def process(self, message: Message) -> Outcome:
        """The line; raises DoneElsewhere where it has to be done first."""
        if len(message.content) <= LARGE_BYTES:
            return self._process(message)
        outcome: Outcome = self._result("process", message)
        return replace(
            outcome,
            message=message,
            document=self._recognise(message),
            payload=outcome.payload and _parsed(outcome.payload),
        )

    def render(self, notification: Notification) -> Rendered:
        """The notification in its form; raises DoneElsewhere where it has to be done first."""
        if len(notification.content or b"") <= LARGE_BYTES:
            return self._render(notification)
        rendered: Rendered = self._result("render", replace(notification, document=None))
        return rendered

    def _result(self, does: Literal["process", "render"], argument: object) -> Any:  # noqa: ANN401 - of what was done
        task = Task(does, pickle.dumps(argument))
        if task.key not in self._done:
            raise DoneElsewhere(task)
        is_done, result = pickle.loads(self._done[task.key])  # noqa: S301 - our own process's words
        if not is_done:
            raise OverBudget(result) if result.startswith(OverBudget.__name__) else RuntimeError(result)
        return result


def _light(outcome: Outcome) -> Outcome:
    """Without what is parsed, which is parsed again where it is needed."""
    payload = outcome.payload and replace(outcome.payload, root=None)  # type: ignore[arg-type]  # put back by _parsed
    return replace(outcome, message=replace(outcome.message, content=b""), document=None, payload=payload)


def _parsed(payload: Payload) -> Payload:
    root = etree.fromstring(payload.content, parser())
    return replace(payload, root=next(root.iterchildren(DECLARATION)))
