"""The mock single windows: they take payloads from their inboxes and answer by their profiles."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from broker.cli import _kafka

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@_kafka.bootstrap
@click.option("--faults", metavar="JSON", help="What goes wrong with their answers; default: SWB_WINDOW_FAULTS.")
def command(codes: Sequence[str], bootstrap: str | None, faults: str | None) -> None:
    """Run the windows named by CODE, or all of them as one application, until Ctrl-C.

    Faults are shares (0 to 1) of the messages, or seconds: fail, late (by late_by), twice, disorder, rubbish; delay.
    Example: --faults '{"pe-vuce": {"twice": 0.5, "late": 0.1, "late_by": 20}}'
    """
    _kafka.leave_when_asked()
    from broker import app, log, settings  # noqa: PLC0415 - a second that --help does without

    chosen = settings.load(bootstrap=bootstrap, window_faults=faults)
    log.configure(chosen.log_format, chosen.log_level)
    sys.exit(app.run_windows(chosen, codes, chosen.window_faults))
