"""What tests of the verbs read and write with."""

import json

from broker.model.ids import MessageId
from broker.relay import headers
from broker.relay.records import Consumed


def objects(text):
    """JSON lines, each as what it says."""
    return [json.loads(line) for line in text.splitlines()]


def record(topic, key, value, *, offset=0, timestamp=1_767_225_600_000, **given):
    """A record as a reader hands it over, with these headers; it was written on 2026-01-01T00:00:00Z."""
    values = {name.replace("content_type", "content-type"): text for name, text in given.items()}
    return Consumed(topic, 0, offset, key, value, headers.encoded(values), timestamp)


MESSAGE = MessageId("0123456789abcdef0123456789abcdef")
