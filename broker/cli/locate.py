"""From a place in the payload, as a window names it, back to the sender's document."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from broker.cli import _line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.content.pointers import Doubt
    from broker.model.answers import Chain
    from broker.model.ids import MessageId

_CHAIN = re.compile(r"\d\d[A-Z](#\d+)?([ ,>/]+\d\d[A-Z](#\d+)?)*((:|[ ,>/]+)[A-Z]?\d{2,3})?")
_PATH = re.compile(r"(/[@\w:.-]+(\[[^\[\]]*\])?)+")
_CLASS = re.compile(r"\d\d[A-Z](#\d+)?(:.+)?")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.argument("pointer")
@click.option("--part", type=click.IntRange(min=0), default=0, help="Which document of an envelope of several.")
@_line.message_id
@_line.as_json
def command(file: str, pointer: str, part: int, given_id: MessageId, form: str) -> None:
    """Tell which place of FILE a POINTER into its payload means.

    POINTER is a path (/MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/Description) or a
    chain of WCO class ids with sequence numbers and the id of the element (42A/67A/68A#2/23A:137). Of
    an element that the payload has not got the answer is the nearest place, where it would have to stand.

    Exit 0 when a place was found, 1 when nothing of the document is behind it, 2 when it could not run.
    """
    from broker.line.process import explain  # noqa: PLC0415
    from broker.model.errors import Refused  # noqa: PLC0415 - --help does without the line

    if not _CHAIN.fullmatch(pointer) and not _PATH.fullmatch(pointer):
        raise click.BadParameter(f"'{pointer}' is neither a path nor a chain of WCO class ids", param_hint="POINTER")
    catalogue = _line.load()
    source = _one(list(_line.documents([file], catalogue)), part)
    try:
        explanation = explain(_line.as_message(source, given_id), catalogue)
    except Refused as refusal:
        _line.refused(source, refusal, form)
        sys.exit(1)
    target, doubt = _path(pointer, explanation.content) if _CHAIN.fullmatch(pointer) else (pointer, None)
    found = explanation.holding(doubt.place) if doubt else explanation.locate(target) if target else ()
    for place in found:
        if form == "json":
            _line.write_json(
                {"path": place.path, "line": place.line, "label": place.label, "value": place.value, "target": target}
            )
        else:
            label = f"  {place.label}" if place.label else ""
            click.echo(f"{place.path} (line {place.line}){label}{f': {place.value}' if place.value else ''}")
    if not found:
        click.echo(f"Nothing in {source.name} is behind {pointer}.", err=True)
    sys.exit(0 if found else 1)


def _one(sources: Sequence[_line.SourceFile], part: int) -> _line.SourceFile:
    """The document that is meant; BadParameter where the envelope does not have it, or several and none is named."""
    number = part or (1 if len(sources) == 1 else 0)
    if not 1 <= number <= len(sources):
        raise click.BadParameter(f"the file holds {len(sources)} documents; say which", param_hint="--part")
    return sources[number - 1]


def _path(pointer: str, content: bytes) -> tuple[str, Doubt | None]:
    """The payload's path behind a chain, as far as it is known, and what is not sure; empty where it leads nowhere."""
    from lxml import etree  # noqa: PLC0415 - --help does without

    from broker.catalogue import payload_pointers  # noqa: PLC0415
    from broker.mapping.translate import DECLARATION  # noqa: PLC0415

    declaration = next(etree.fromstring(content).iterchildren(DECLARATION))
    found = payload_pointers().resolve(_chain(pointer), declaration)
    if found and not found.is_exact:
        click.echo(f"No class of the payload is behind all of {pointer}; {found.path} is as far as it leads.", err=True)
    if found and found.doubt:
        count = found.doubt.count
        what = f"which of {count} it means" if found.doubt.number is None else f"one of the {count} that there are"
        click.echo(f"{pointer} does not name {what}: {found.doubt.place}", err=True)
    return (found.path, found.doubt) if found else ("", None)


def _chain(pointer: str) -> Chain:
    """``42A/67A/68A#2/23A/137`` as steps; a last id that is no class is the element's, as behind a colon."""
    from broker.model.answers import chain_of  # noqa: PLC0415

    steps = re.split(r"[ ,>/]+", pointer)
    if not _CLASS.fullmatch(steps[-1]):
        steps[-2:] = [":".join(steps[-2:])]
    return chain_of("/".join(steps))
