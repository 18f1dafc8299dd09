"""A worker whose line is a toy: the relay as it is, with documents that say what shall become of them."""

import asyncio
import os
import signal
import sys

from aiokafka import AIOKafkaProducer

from broker import log, settings
from broker.catalogue import data_root
from broker.kafka.lanes.group import Relay
from broker.kafka.lanes.leave import Leave
from broker.model.documents import Payload
from broker.model.findings import Finding
from broker.model.ids import ParticipantCode
from broker.model.outcomes import Outcome
from broker.model.participants import Limits, Participant, Routing
from broker.registry.statuses import Meaning
from broker.registry.statuses import load as load_statuses
from broker.relay.batch import PlanContext
from broker.relay.plain_notice import plain


def participants():
    """``SWB_TOY=farm:agency,win:window,slow:window:20``: code, kind, and where it has one its rate."""
    given = (one.split(":") for one in os.environ["SWB_TOY"].split(","))
    return {
        code: Participant(ParticipantCode(code), code, kind, "xx", limits=Limits(rate=int(rate[0]) if rate else None))
        for code, kind, *rate in given
    }


def line(windows):
    def process(message):
        """``ok win-a win-b; anything``, ``bad; ...``, ``boom; ...``, ``huge win-a; bytes``."""
        words, _, rest = message.content.partition(b";")
        word, *names = words.decode().split()
        if word == "boom":
            raise ZeroDivisionError("boom")
        if word == "bad":
            return Outcome(message, None, (Finding("type.unknown", "not of this world"),))
        payload = b"<p>" + (b"x" * int(rest) if word == "huge" else message.content) + b"</p>"
        routings = tuple(Routing(w, "R-1" if w in names else None, "" if w in names else "not for it") for w in windows)
        return Outcome(message, "toy/one-1", (), Payload(payload, None), routings)

    return process


def hold_transactions_open(seconds):
    """Every commit comes late, so that a kill finds a transaction open."""
    commit = AIOKafkaProducer.commit_transaction

    async def late(self):
        log.get("toy").info("transaction.held")
        await asyncio.sleep(seconds)
        await commit(self)

    AIOKafkaProducer.commit_transaction = late


async def main():
    if held := float(os.environ.get("SWB_TOY_HOLD", "0")):
        hold_transactions_open(held)
    known = participants()
    given = settings.load()
    log.configure("json", "info")
    rules = PlanContext(
        process=line([c for c, p in known.items() if p.kind == "window"]),
        participants=known,
        render=plain,
        mapping_label=lambda name: f"{name}@1+00",
        meaning=lambda answer: Meaning({"01": "accepted", "03": "rejected"}.get(answer.function_code, ""), ""),
        statuses=load_statuses(data_root() / "mappings" / "statuses"),
        max_content=given.max_content_bytes,
        retry_limit_ms=int(given.retry_limit_seconds * 1000),
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await Relay(given, rules, given.instance or None).run(stop)
    except Leave as leave:
        log.get("toy").error("worker.leaves", reason=leave.reason.name, sentence=str(leave))
        os._exit(int(leave.reason))


if __name__ == "__main__":
    if profile := os.environ.get("SWB_TOY_PROFILE"):
        import cProfile

        cProfile.run("asyncio.run(main())", profile)
    else:
        sys.exit(asyncio.run(main()))
