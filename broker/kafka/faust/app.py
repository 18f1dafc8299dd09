"""Faust as the broker uses it: an application that keeps nothing and reads what is committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import faust

from broker import log
from broker.kafka.faust.transport import ReadCommitted

if TYPE_CHECKING:
    from broker.settings import Settings


class _App(faust.App):  # type: ignore[misc]
    """A Faust application that keeps nothing on disk."""

    def _create_directories(self) -> None:
        """No table of ours lies in a folder: Faust would make some wherever the process was started."""


def faust_app(settings: Settings, group: str) -> faust.App:
    """A Faust application that reads committed records only, makes no topics or folders and serves no pages."""
    app = _App(
        group,
        broker=[f"kafka://{address}" for address in settings.bootstrap.split(",")],
        broker_credentials=_credentials(settings),
        broker_session_timeout=settings.session_seconds,
        broker_heartbeat_interval=settings.heartbeat_seconds,
        broker_rebalance_timeout=settings.rebalance_seconds,
        broker_max_poll_records=settings.batch_records,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=settings.max_record_bytes,
        producer_acks=-1,
        producer_linger=0.005,
        producer_max_batch_size=256 * 1024,
        producer_max_request_size=settings.max_record_bytes,
        topic_allow_declare=False,
        topic_disable_leader=True,
        table_standby_replicas=0,
        stream_wait_empty=True,
        store="memory://",
        value_serializer="raw",
        web_enabled=False,
        logging_config=log.logging_config(settings.log_format, settings.log_level),
    )
    app.transport = ReadCommitted(app.conf.broker_consumer, app, loop=app.loop)
    return app


def _credentials(settings: Settings) -> faust.auth.Credentials | None:
    context = settings.ssl_context()
    if settings.security == "sasl_ssl":
        return faust.SASLCredentials(
            username=settings.username,
            password=settings.password.get_secret_value(),
            ssl_context=context,
            mechanism=settings.sasl_mechanism,
        )
    return faust.SSLCredentials(context) if context is not None else None


def raw(app: faust.App, name: str) -> faust.TopicT[bytes]:
    """A topic of bytes, as they are."""
    return app.topic(name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
