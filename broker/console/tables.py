"""The tables of the read model. All of it can be built again from ``swb.tracking`` and ``swb.deadletter``.

It holds what tracking holds: codes, pointers and listed identifiers, and nothing else of any content. The declarant's
id, a sender's own id and document numbers may be personal data: they stand in ``identifiers`` and in the events alone,
and go with the document when it is forgotten.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

documents = Table(
    "documents",
    metadata,
    Column("message_id", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False),  # of its first event, milliseconds since 1970
    Column("changed", BigInteger, nullable=False),
    Column("sender", String(64), nullable=False, default=""),
    Column("document_type", String(128), nullable=False, default=""),
    Column("state", String(32), nullable=False, default=""),
    Column("is_open", Integer, nullable=False, default=1),
    Column("mapping", String(255), nullable=False, default=""),
    Column("sha256", String(64), nullable=False, default=""),
    Column("origin", String(255), nullable=False, default=""),
    Column("trace_id", String(32), nullable=False, default=""),
    Column("size", BigInteger, nullable=False, default=0),
    Column("number", String(128), nullable=False, default=""),
    Index("documents_at", "at"),
    Index("documents_sender", "sender", "at"),
    Index("documents_type", "document_type", "at"),
    Index("documents_state", "state", "at"),
    Index("documents_open", "is_open", "changed"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("message_id", String(64), primary_key=True),
    Column("window", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False),  # of the document, to page by
    Column("delivered", BigInteger),
    Column("decided", BigInteger),
    Column("state", String(48), nullable=False, default="routed"),
    Column("verdict", String(16), nullable=False, default=""),
    Column("is_open", Integer, nullable=False, default=1),
    Index("deliveries_window", "window", "at"),
    Index("deliveries_state", "state", "at"),
    Index("deliveries_open", "is_open", "window", "delivered"),
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("value", String(128), primary_key=True),
    Column(
        "kind", String(16), primary_key=True
    ),  # id (the sender's), number, mrn, declarant, conversation, certificate
    Column("message_id", String(64), primary_key=True),
    Index("identifiers_message", "message_id"),
)

findings = Table(
    "findings",
    metadata,
    Column("code", String(64), primary_key=True),
    Column("message_id", String(64), primary_key=True),
    Column("by", String(64), nullable=False, default=""),  # who said it: a window, or empty: the broker
    Column("at", BigInteger, nullable=False),  # of the document, to page by
    Column("mapping", String(255), nullable=False, default=""),
    Index("findings_code", "code", "at"),
    Index("findings_message", "message_id"),
)

events = Table(
    "events",
    metadata,
    Column("partition", Integer, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("message_id", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("event", String(48), nullable=False),
    Column("body", Text, nullable=False),
    Index("events_message", "message_id", "at"),
    Index("events_name", "event", "at"),
)

deadletters = Table(
    "deadletters",
    metadata,
    Column("partition", Integer, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("reason", String(128), nullable=False, default=""),
    Column("destination", String(255), nullable=False, default=""),
    Column("origin", String(255), nullable=False, default=""),
    Column("message_id", String(64), nullable=False, default=""),
    Column("window", String(64), nullable=False, default=""),
    Column("size", BigInteger, nullable=False, default=0),
    Column("state", String(16), nullable=False, default="open"),  # open, redriven, closed
    Column("by", String(128), nullable=False, default=""),
    Column("why", String(255), nullable=False, default=""),
    Index("deadletters_state", "state", "reason", "at"),
    Index("deadletters_message", "message_id"),
)

ends = Table(  # of dead letters that are spoken of before they are read: the topics have no common order
    "ends",
    metadata,
    Column("partition", Integer, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("by", String(128), nullable=False, default=""),
    Column("why", String(255), nullable=False, default=""),
)

read_up_to = Table(
    "read_up_to",
    metadata,
    Column("topic", String(128), primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("topic_id", String(64), nullable=False, default=""),
)
