"""A stretch of a topic, read by a consumer that joins no group and commits nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from broker.model.errors import Failed
from broker.relay.records import Consumed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.settings import Settings

_SECONDS = 15


class OffsetRange:
    """Records of a topic from one offset to another, both included, of one partition or all; at most to today's end.

    ``len`` is the number of offsets in it: what transactions leave unseen counts too.
    """

    def __init__(
        self,
        settings: Settings,
        topic: str,
        *,
        partition: int | None = None,
        first: int | None = None,
        last: int | None = None,
    ) -> None:
        self._topic = topic
        self._consumer = Consumer(
            {
                **settings.librdkafka(),
                "group.id": "swb-replay",  # asked for by the client, never joined
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.message.max.bytes": settings.max_record_bytes,
                "log_level": 0,
            }
        )
        self._ranges = {number: self._range(number, first, last) for number in self._partitions(partition)}

    def __len__(self) -> int:
        return sum(max(0, end - begin) for begin, end in self._ranges.values())

    def __iter__(self) -> Iterator[Consumed]:
        """The records, partition by partition."""
        try:
            for number, (begin, end) in self._ranges.items():
                if begin < end:
                    self._consumer.assign([TopicPartition(self._topic, number, begin)])
                    yield from self._read(number, end)
        finally:
            self._consumer.close()

    def _read(self, number: int, end: int) -> Iterator[Consumed]:
        while True:
            record = self._consumer.poll(_SECONDS)
            if record is None:
                raise Failed(f"{self._topic}/{number}: nothing came for {_SECONDS} s.")
            error = record.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's own name
                return
            if error is not None:
                raise Failed(f"{self._topic}/{number}: {error.str()}")
            if record.offset() >= end:
                return
            yield Consumed(
                self._topic,
                number,
                record.offset(),
                record.key(),
                record.value(),
                tuple(record.headers() or ()),
                record.timestamp()[1],
            )

    def _partitions(self, wanted: int | None) -> list[int]:
        try:
            found = self._consumer.list_topics(self._topic, _SECONDS).topics[self._topic]
        except KafkaException as error:
            raise Failed(f"Kafka does not answer: {error.args[0].str()}") from None
        if found.error is not None:
            raise Failed(f"Topic {self._topic}: {found.error.str()}")
        if wanted is not None and wanted not in found.partitions:
            raise Failed(f"Topic {self._topic} has partitions 0 to {len(found.partitions) - 1}, not {wanted}.")
        return sorted(found.partitions) if wanted is None else [wanted]

    def _range(self, number: int, first: int | None, last: int | None) -> tuple[int, int]:
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), _SECONDS)
        except KafkaException as error:
            raise Failed(f"{self._topic}/{number}: {error.args[0].str()}") from None
        return max(low, first or 0), high if last is None else min(high, last + 1)
