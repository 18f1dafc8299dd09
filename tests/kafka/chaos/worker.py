"""``swb worker`` as the chaos test runs it: poison falls over, commits may be held open, a promise may be broken.

``SWB_CHAOS_HOLD``: up to so many seconds before each commit, that kills find transactions open.
``SWB_CHAOS_BREAK``: the name of one of the saboteurs below; each breaks what one rule of the relay promises, and the
account of the chaos test has to find it.
"""

import asyncio
import json
import os
import random
import sys
from pathlib import Path

from aiokafka import AIOKafkaProducer

from broker import app, cli
from broker.kafka.lanes import group, lane, transaction
from broker.kafka.lanes.protocol import StableOffsets
from broker.relay.stores import Stores
from tests.kafka.chaos.corpus import POISON


def fall_over_poison():
    line = app.process

    def process(message, catalogue):
        if POISON in message.content:
            raise ZeroDivisionError("nobody foresaw this")
        return line(message, catalogue)

    app.process = process


def hold_transactions_open(seconds, file):
    """A file says how many of them are held."""
    commit, held = AIOKafkaProducer.commit_transaction, set()

    async def late(self):
        held.add(self)
        file.write_text(str(len(held)))
        try:
            await asyncio.sleep(random.uniform(0, seconds))
        finally:
            held.remove(self)
            file.write_text(str(len(held)))
        await commit(self)

    AIOKafkaProducer.commit_transaction = late


def tell_lanes(file):
    """Which lanes this worker holds, in a file."""
    divide, close_lanes = group.Relay.divide, group.Relay.close_lanes

    def divided(self, assigned):
        divide(self, assigned)
        file.write_text(json.dumps(sorted(self._lanes)))

    async def closed(self):
        file.write_text("[]")
        await close_lanes(self)

    group.Relay.divide, group.Relay.close_lanes = divided, closed


# --- saboteurs --------------------------------------------------------------------------------------------------------


def offsets_outside():
    """The offsets are committed by themselves, not in the transaction."""
    consumers = []
    make = group.relay_consumer
    group.relay_consumer = lambda *given: consumers.append(make(*given)) or consumers[-1]

    async def commit(_producer, offsets, _group):
        await consumers[-1].commit(offsets)

    AIOKafkaProducer.send_offsets_to_transaction = commit


def no_fencing():
    """Every producer has a transactional id of its own: starting one fences nobody, and nobody waits for a zombie."""
    make, build = lane.lane_producer, StableOffsets.build

    def stranger(settings, number):
        producer = make(settings, number)
        producer._txn_manager.transactional_id = f"swb-relay.{number}.{os.getpid()}.{random.random()}"
        return producer

    def unstable(self, struct):
        asked = build(self, struct)
        asked.require_stable = False
        return asked

    lane.lane_producer, StableOffsets.build = stranger, unstable


def no_await():
    """What becomes of a record that was sent is not looked at."""
    send = transaction._send

    async def blind(producer, planned, deadline):
        sent, _ = await send(producer, planned, deadline)
        for future in sent:
            future.add_done_callback(lambda f: f.cancelled() or f.exception())
        return {}, []

    transaction._send = blind


def keep_plan():
    """After an abort the lane goes on believing what it had planned."""
    Stores.forget = Stores.keep


SABOTEURS = {f.__name__.replace("_", "-"): f for f in (offsets_outside, no_fencing, no_await, keep_plan)}

if __name__ == "__main__":
    fall_over_poison()
    tell_lanes(Path(os.environ["SWB_CHAOS_LANES"]))
    if held := float(os.environ.get("SWB_CHAOS_HOLD") or 0):
        hold_transactions_open(held, Path(os.environ["SWB_CHAOS_HELD"]))
    if broken := os.environ.get("SWB_CHAOS_BREAK"):
        SABOTEURS[broken]()
    sys.argv = ["swb", "worker"]
    cli.main()
