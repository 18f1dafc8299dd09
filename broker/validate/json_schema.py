"""A JSON Schema that judges a JSON document, in the same words and at the same places as an XSD does."""

from __future__ import annotations

import json
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

import jsonschema_rs

from broker.content.json_tree import at_path, value_of
from broker.model.errors import Misconfigured
from broker.model.schemas import SchemaFault, SchemaVerdict
from broker.validate.xsd import MAX_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lxml import etree

    from broker.model.documents import Rule, Tolerance

MAX_NODES = 20_000
"""Above it only the first fault is told: all are made before the first is seen, each with a copy of its value."""
_LENGTHS = frozenset({"maxLength", "minLength", "maxItems", "minItems"})


class JsonSchema:
    """The JSON Schema in a file below ``xsd/`` (2020-12 unless it says otherwise); compiled on first use."""

    rules: tuple[Rule, ...] = ()
    namespaces: Mapping[str, str] = MappingProxyType({})

    def __init__(self, file: Path) -> None:
        self.file = file

    @cached_property
    def _validator(self) -> jsonschema_rs.Validator:
        try:
            schema = json.loads(self.file.read_text(encoding="utf-8"))
            return jsonschema_rs.validator_for(schema, validate_formats=True)
        except (OSError, ValueError, jsonschema_rs.ValidationError) as error:
            raise Misconfigured(f"{self.file}: {error}") from None

    def warm(self) -> None:
        """Compiles now what would be compiled with the first document."""
        _ = self._validator

    def judge(
        self,
        root: etree._Element,
        tolerates: Iterable[Tolerance] = (),  # noqa: ARG002  (quirks of XML)
        namespaces: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> SchemaVerdict:
        """All faults of a document, up to MAX_FAULTS."""
        value = value_of(root)
        if sum(1 for _ in root.iter()) > MAX_NODES:
            return SchemaVerdict(self._first(root, value))
        return SchemaVerdict(
            tuple(_fault(root, error) for error in islice(self._validator.iter_errors(value), MAX_FAULTS))
        )

    def _first(self, root: etree._Element, value: object) -> tuple[SchemaFault, ...]:
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            return (_fault(root, error),)
        return ()


def _fault(root: etree._Element, error: jsonschema_rs.ValidationError) -> SchemaFault:
    node = at_path(root, list(error.instance_path))
    keyword = str(error.schema_path[-1]) if error.schema_path else ""
    sentence = f"{error.message[:300]}."
    if keyword == "required":
        name = getattr(error.kind, "property", "")
        return SchemaFault(node, "schema.missing", f"{name} is missing here.", missing=(node, name))
    if keyword == "type":
        return SchemaFault(node, "schema.type", sentence)
    code = "schema.length" if keyword in _LENGTHS else "schema.value"
    return SchemaFault(node, "schema.unexpected" if keyword == "additionalProperties" else code, sentence)
