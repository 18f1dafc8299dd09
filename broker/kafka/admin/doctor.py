"""What the relay relies on, tried against the Kafka at hand: services called compatible differ in silence.

Topics, groups and transactional ids of the examination begin with ``swb.doctor.``; its topics are deleted again.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException

from broker.kafka.admin.checks import CHECKS
from broker.kafka.admin.cluster_probe import ClusterProbe, Doubtful, Missing
from broker.model.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from broker.kafka.admin.checks import Check
    from broker.settings import Settings

State = Literal["ok", "warning", "missing", "not tried"]

_SECONDS = 60
"""Longer than any single check takes where all is well."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check; ``detail`` says what was found, or what is missing."""

    check: str
    title: str
    state: State
    detail: str
    seconds: float


def examine(settings: Settings, participants: Iterable[str]) -> Iterator[CheckResult]:
    """The result of every check, as each ends. Raises Failed when Kafka does not answer at all."""
    probe = ClusterProbe(settings, participants)
    probe.greet()
    failed: set[str] = set()
    try:
        for check in CHECKS:
            lacking = sorted(failed & set(check.needs))
            if lacking:
                result = CheckResult(check.name, check.title, "not tried", f"needs {', '.join(lacking)}", 0.0)
            else:
                result = _try(check, probe)
            if result.state in ("missing", "not tried"):
                failed.add(check.name)
            yield result
    finally:
        probe.clean()


def _try(check: Check, probe: ClusterProbe) -> CheckResult:
    began = time.monotonic()

    def result(state: State, detail: str) -> CheckResult:
        return CheckResult(check.name, check.title, state, detail, round(time.monotonic() - began, 2))

    try:
        return result("ok", asyncio.run(asyncio.wait_for(check.run(probe), _SECONDS)))
    except Doubtful as doubt:
        return result("warning", str(doubt))
    except (Missing, Failed) as missing:
        return result("missing", str(missing))
    except TimeoutError:
        return result("missing", f"it was not seen within {_SECONDS} s")
    except KafkaException as error:
        return result("missing", error.args[0].str())
    except (KafkaError, AssertionError) as error:
        return result("missing", f"{type(error).__name__}: {error}")
