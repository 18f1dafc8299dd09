"""What the verbs that speak to Kafka share."""

from __future__ import annotations

import re
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from types import FrameType

    from broker.model.participants import Participant
    from broker.settings import Settings

bootstrap = click.option("--bootstrap", help="Kafka's addresses, host:port with commas between.  [env: SWB_BOOTSTRAP]")
as_json = click.option("-o", "form", type=click.Choice(["text", "json"]), default="text", help="Text, or JSON lines.")

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def settings(given: str | None) -> Settings:
    """The settings, with the address of the command line above all else."""
    from broker import settings as module  # noqa: PLC0415 - time that --help does without

    return module.load(bootstrap=given)


def participants() -> dict[str, Participant]:
    """Who is connected, read without the rest of the catalogue."""
    from broker.catalogue import data_root  # noqa: PLC0415 - as above
    from broker.registry.participants import load_participants  # noqa: PLC0415

    found = load_participants(data_root() / "mappings" / "participants")
    return {str(code): participant for code, participant in found.items()}


def known(_context: click.Context, _parameter: click.Parameter, code: str) -> str:
    """A participant's code; BadParameter for anybody else."""
    codes = participants()
    if code not in codes:
        raise click.BadParameter(f"{code} is not a participant; there are {', '.join(sorted(codes))}")
    return code


def leave_when_asked() -> None:
    """Ctrl-C and a supervisor's signals end the verb with 0, until an event loop takes them over."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def moment(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    """``10m``, ``2h``, ``1d``, or a date-time of RFC 3339, as milliseconds since 1970."""
    if text is None:
        return None
    ago = re.fullmatch(r"(\d+)([smhd])", text)
    if ago:
        at = datetime.now(UTC) - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise click.BadParameter("10m, 2h, 1d, or a date-time like 2026-11-22T14:00:00Z") from None
    return int(at.astimezone().timestamp() * 1000)


since = click.option("--since", callback=moment, metavar="WHEN", help="From then on: 10m, 2h, 1d or a date-time.")
