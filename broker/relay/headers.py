"""Names of headers, and records' kinds. Headers follow the CloudEvents Kafka binding, binary mode."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CE_ID = "ce_id"
CE_SOURCE = "ce_source"
CE_TYPE = "ce_type"
CE_TIME = "ce_time"
CE_VERSION = "ce_specversion"
CONTENT_TYPE = "content-type"
TRACEPARENT = "traceparent"
MESSAGE_ID = "swb_message_id"
CONVERSATION_ID = "swb_conversation_id"
MAPPING = "swb_mapping"
DOCUMENT_TYPE = "swb_document_type"
SENDER = "swb_sender"
WINDOW = "swb_window"
STATE_HEADER = "swb_state"
FINDINGS = "swb_findings"
RELATES_TO = "swb_relates_to"
DELIVERED_TO = "swb_delivered_to"
REASON = "swb_reason"
LANE = "swb_lane"
DESTINATION = "swb_destination"
DEAD_LETTERED_AT = "swb_buried_at"
ORIGIN_TOPIC = "swb_origin_topic"
ORIGIN_PARTITION = "swb_origin_partition"
ORIGIN_OFFSET = "swb_origin_offset"
ORIGIN_LAST = "swb_origin_last"
"""Where what cannot be read is more than one record: the offset of the last."""
WAITING_SINCE = "swb_waiting_since"
REDRIVE_OF = "swb_redrive_of"
REDRIVEN_BY = "swb_redriven_by"
OVERSIZE = "swb_oversize"
PART = "swb_part"
"""Which document of the sender's envelope a record is, and how many lines stood before it: ``2 28``."""
CLAIM = "swb_claim"
CONTENT_SHA256 = "swb_content_sha256"
ANSWER_POSITION = "swb_answer_position"
RECORD_ID = "swb_record_id"
FACT_VERSION = "swb_fact_version"
SOURCE = "swb"
XML = "application/xml"
JSON = "application/json"
ANSWER_TYPE = "swb.answer"
"""The ``ce_type`` by which a window marks what it sends as an answer."""
WRITEOFF_TYPE = "swb.writeoff"
"""The same for a request to reserve, consume or release a quantity of a certificate."""
DOCUMENT_TYPE_OF_EVENT = "swb.document"
EVENT_TYPE = "swb.event"


class Kind(StrEnum):
    """What a record in an inbox is; its ``ce_type`` is ``swb.<kind>``."""

    PAYLOAD = "payload"
    RECEIPT = "receipt"
    ANSWER = "answer"
    REFUSAL = "refusal"
    NOTICE = "notice"


Header = tuple[str, bytes]


def of_sender(given: Iterable[Header]) -> tuple[Header, ...]:
    """A participant's own headers: what it wrote under our names is not believed and goes no further."""
    return tuple(header for header in given if not header[0].startswith("swb_"))


def trace_id(traceparent: str) -> str:
    """The trace's id (W3C Trace Context, 3.2); empty where the header has not that form."""
    parts = traceparent.split("-")
    is_one = len(parts) >= 4 and len(parts[1]) == 32 and set(parts[1]) <= set("0123456789abcdef")
    return parts[1] if is_one and set(parts[1]) != {"0"} else ""


def encoded(values: Mapping[str, str]) -> tuple[Header, ...]:
    """Kafka's form of headers; what is empty is left out."""
    return tuple((name, value.encode()) for name, value in values.items() if value)
