"""A reason that says "no class in the payload" is true, or `swb check` tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.catalogue import PAYLOAD_SCHEMA
from broker.mapping.compiler.source_tree import SourceNode
from broker.mapping.compiler.target import read_target
from broker.mapping.language.rows import Drop
from broker.workbench.check.reasons import FILE, missing_places, read_places, untrue_reasons
from broker.workbench.schema_tree import SchemaNode
from tests.support.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PLACES = read_places(ROOT / "mappings" / FILE)


def untrue(why: str, *, below: str = "NetWeightMeasure", read: bool = False, exact: bool = False) -> list[str]:
    """What is told of a drop of ``Shipment``, in which one element stands."""
    shipment = SourceNode(drop=Drop("drop Shipment", None, "", why, "Shipment"))
    if read or exact:
        inner = SourceNode(reads_text=read, drop=Drop("d", None, "", "it is on paper", "d") if exact else None)
        shipment.children[below] = inner
    schema = SchemaNode("a", frozenset(), lambda: [SchemaNode("Shipment", frozenset(), lambda: [leaf(below)])])
    return [text for _, text in untrue_reasons((schema,), SourceNode(children={"Shipment": shipment}), PLACES)]


def leaf(name: str) -> SchemaNode:
    return SchemaNode(name, frozenset())


def test_a_weight_that_is_dropped_for_want_of_a_class_is_told() -> None:
    (text,) = untrue("particulars of the shipment have no class in the payload")
    assert "NetWeightMeasure has a place in the payload" in text


def test_each_thing_of_the_table_is_looked_for() -> None:
    for name in ("CommodityCode", "PackagingTypeCode", "TransportEquipmentSeal", "TransportEquipment", "CarrierParty"):
        assert untrue("it has no element here", below=name), name


def test_what_a_row_reads_or_another_drop_explains_is_not_left_out_for_that_reason() -> None:
    assert untrue("the rest has no place here", read=True) == []
    assert untrue("the rest has no place here", exact=True) == []


def test_another_reason_is_not_held_against_the_payload() -> None:
    assert untrue("payment is between the parties") == []


def test_the_table_names_places_that_the_payload_has(tmp_path: Path) -> None:
    declaration = read_target(ROOT / "xsd" / PAYLOAD_SCHEMA, "Declaration")
    assert list(missing_places(PLACES, declaration)) == []
    file = tmp_path / FILE
    file.write_text('[[places]]\nconcept = "x"\nnames = "X"\nat = ["GoodsShipment/Nowhere"]\n')
    assert list(missing_places(read_places(file), declaration)) == ["x: the payload has no GoodsShipment/Nowhere"]


def test_a_folder_without_the_table_holds_nothing_against_it(tmp_path: Path) -> None:
    assert read_places(tmp_path / FILE) == ()
