"""The payload's elements with their WCO ids and formats: what a mapping may fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from broker.cli import _line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.mapping.compiler.target import Element


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", required=False, default="")
@click.option("--all", "deep", is_flag=True, help="All levels below it, not the next alone.")
@click.option("--find", default="", help="Only elements whose path holds this text, or whose WCO id it is.")
@_line.as_json
def command(path: str, deep: bool, find: str, form: str) -> None:
    """Show what stands below PATH in the payload (GoodsShipment/Consignment; the Declaration where none is given).

    For each element its WCO id, how often it may stand there, its format (an..70, n..16,3), and what a class holds.
    """
    from broker import catalogue  # noqa: PLC0415 - a quarter of a second that --help does without
    from broker.mapping.compiler.target import read_target  # noqa: PLC0415

    here = read_target(catalogue.data_root() / "xsd" / catalogue.PAYLOAD_SCHEMA, "Declaration")
    for step in path.strip("/").split("/") if path.strip("/") else ():
        inner = here.child(step)
        if inner is None:
            known = ", ".join(here.type.children) or "nothing: it is no class"
            raise click.BadParameter(f"{here.name} has no element {step}; it holds {known}", param_hint="PATH")
        here = inner
    found = [one for one in _below(here, path.strip("/"), deep=deep or bool(find)) if _fits(one, find)]
    for one in found:
        if form == "json":
            _line.write_json(one)
        else:
            click.echo(f"{one['wco_id'] or '-':<5} {one['occurs']:<6} {one['format']:<10} {one['path']}{_more(one)}")


def _below(element: Element, path: str, *, deep: bool) -> Iterator[dict[str, Any]]:
    """The elements of a class, and with ``deep`` those of the classes in it."""
    for child in element.type.children.values():
        own = f"{path}/{child.name}" if path else child.name
        yield _told(child, own)
        if deep and not child.is_date_time:
            yield from _below(child, own, deep=deep)


def _told(element: Element, path: str) -> dict[str, Any]:
    content = element.type.content
    return {
        "path": path,
        "wco_id": element.wco_id,
        "class_id": element.type.class_id,
        "format": content.limit() if content else "date-time" if element.is_date_time else "class",
        "occurs": f"{element.minimum}..{'*' if element.maximum is None else element.maximum}",
        "codes": sorted(content.values) if content else [],
        "attributes": {
            name: {"format": attribute.type.limit(), "required": attribute.required}
            for name, attribute in element.type.attributes.items()
        },
        "holds": [] if element.is_leaf or element.is_date_time else list(element.type.children),
    }


def _fits(one: dict[str, Any], text: str) -> bool:
    return not text or text.casefold() in one["path"].casefold() or text == one["wco_id"]


def _more(one: dict[str, Any]) -> str:
    """What a class holds, or the attributes of a leaf."""
    if one["holds"]:
        return f"  [{one['class_id']}] {', '.join(one['holds'])}"
    attributes = ", ".join(f"@{name}" for name in one["attributes"])
    return f"  {attributes}" if attributes else ""
