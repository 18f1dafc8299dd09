"""A schema as the author of rows and rules sees it: which elements and attributes a path may name, XSD or JSON Schema.

Both kinds, and the payload's own classes, become nodes of one shape; what is asked about paths is asked of those.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from broker.content.json_tree import MEMBER, ROOT, name_of
from broker.registry.digests import of_files, with_imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from broker.mapping.compiler.source_tree import SourceNode
    from broker.mapping.compiler.target import Element
    from broker.model.conditions import Path as RowPath
    from broker.model.conditions import Predicate, Step

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
ANY = "*"
"""The name of a node that may be any element, with anything below it."""


@dataclass(eq=False)
class SchemaNode:
    """A declaration: the element's Clark name, its attributes (None: any), and what may stand below it."""

    name: str
    attributes: frozenset[str] | None
    below: Callable[[], Iterable[SchemaNode]] = field(default=tuple)

    @cached_property
    def children(self) -> tuple[SchemaNode, ...]:
        return (self,) if self.name == ANY else tuple(self.below())

    def named(self, name: str) -> Iterator[SchemaNode]:
        """The children of a name, and those that may have any."""
        return (child for child in self.children if child.name in (name, ANY))

    def has_attribute(self, name: str) -> bool:
        """Whether the element may have it; ``xsi:`` ones may stand anywhere."""
        return self.attributes is None or name in self.attributes or name.startswith(_XSI)


SchemaNodes = frozenset[SchemaNode]
"""Declarations that a path may have reached."""


class SchemaTree:
    """The declarations of one schema, asked about paths."""

    def __init__(self, root: Callable[[str], SchemaNode | None], *, is_open: bool = False) -> None:
        self._root = root
        self.is_open = is_open
        """Whether a document may hold what the schema does not name (JSON Schema, as a rule)."""

    def root(self, name: str) -> SchemaNodes:
        """The declaration of a root element; empty when there is none."""
        found = self._root(name)
        return frozenset((found,)) if found is not None else frozenset()

    def follow(self, start: SchemaNodes, path: RowPath) -> tuple[SchemaNodes, list[str]]:
        """The declarations at the end of a path, and each of its names that the schema does not know there."""
        here, unknown = start, []
        for step in path.steps:
            here, missing = _step(here, step)
            unknown += missing
        if path.attribute and here and not any(node.has_attribute(path.attribute) for node in here):
            unknown.append(f"@{local(path.attribute)}")
        return here, unknown

    def unmentioned(self, root: str, node: SourceNode) -> Iterator[str]:
        """The paths of elements that the schema knows, below what rows name, and no row or drop mentions."""
        yield from _unmentioned(self.root(root), node, "")


def schema_tree(file: Path) -> SchemaTree:
    """The tree of an XSD or a JSON Schema; the same state of the same files is read once."""
    return _json_tree(file, _state(file)) if file.suffix == ".json" else _xsd_tree(file, _state(file))


def payload_tree(declaration: Element) -> SchemaTree:
    """The tree of the payload's Declaration, whose names are written without prefixes."""
    top = SchemaNode("MetaData", frozenset(), lambda: (_of_class(declaration),))
    return SchemaTree(lambda _name: top.children[0])


def _state(file: Path) -> str:
    return of_files(with_imports(file), file.parents[-1])


def local(name: str) -> str:
    """A Clark name without its namespace."""
    return name.rpartition("}")[2]


# --- XSD --------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _xsd_tree(file: Path, _state_of_files: str) -> SchemaTree:
    import xmlschema  # noqa: PLC0415  (half a second that only those wait who ask for paths)

    schema = xmlschema.XMLSchema(file, validation="skip")
    made: dict[int, SchemaNode] = {}

    def root(name: str) -> SchemaNode | None:
        found = schema.maps.elements.get(name)
        return None if found is None else _of_xsd(found, made)

    return SchemaTree(root)


def _of_xsd(declared: Any, made: dict[int, SchemaNode]) -> SchemaNode:  # noqa: ANN401 - xmlschema's, or a wildcard's
    if id(declared) not in made:
        kind = getattr(declared, "type", None)
        if kind is not None and kind.is_simple():
            made[id(declared)] = SchemaNode(declared.name, frozenset())
        elif declared.name is None or getattr(kind, "content", None) is None:
            made[id(declared)] = SchemaNode(declared.name or ANY, None, lambda: (SchemaNode(ANY, None),))
        else:
            names = frozenset(name or ANY for name in getattr(declared, "attributes", ()))
            attributes = None if ANY in names else names
            made[id(declared)] = SchemaNode(declared.name, attributes, lambda: _xsd_children(declared, made))
    return made[id(declared)]


def _xsd_children(declared: Any, made: dict[int, SchemaNode]) -> Iterator[SchemaNode]:  # noqa: ANN401 - as above
    content = declared.type.content
    if hasattr(content, "iter_elements"):
        yield from (_of_xsd(child, made) for child in content.iter_elements())


# --- JSON Schema ------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _json_tree(file: Path, _state_of_files: str) -> SchemaTree:
    document = json.loads(file.read_text(encoding="utf-8"))
    top = _of_json(ROOT, document, document)
    return SchemaTree(lambda _name: top, is_open=True)


def _of_json(name: str, schema: Any, document: Any) -> SchemaNode:  # noqa: ANN401 - JSON
    """A value that a schema describes; one that it leaves open may hold anything."""
    return SchemaNode(name, frozenset(), lambda: _json_children(_alternatives(schema, document), document))


def _json_children(schemas: list[dict[str, Any]], document: Any) -> Iterator[SchemaNode]:  # noqa: ANN401 - JSON
    if not any({"properties", "items", "prefixItems", "type", "enum", "const"} & set(one) for one in schemas):
        yield SchemaNode(ANY, None)
    for one in schemas:
        for key, value in one.get("properties", {}).items():
            yield _of_json(name_of(key), value, document)
        is_object = "properties" in one or one.get("type") == "object"
        if (is_object and one.get("additionalProperties", True) is not False and not one.get("properties")) or (
            one.get("patternProperties")
        ):
            yield SchemaNode(ANY, None)
        if isinstance(one.get("items"), dict):
            yield _of_json(MEMBER, one["items"], document)
        elif one.get("type") == "array" and "prefixItems" not in one:
            yield SchemaNode(ANY, None)
        for item in one.get("prefixItems", ()):
            yield _of_json(MEMBER, item, document)


def _alternatives(schema: Any, document: Any, depth: int = 0) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    """A schema with all that it refers to or is composed of, side by side."""
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return [] if schema is False else [{}]
    found: list[dict[str, Any]] = (
        [schema] if set(schema) - {"$ref", "allOf", "anyOf", "oneOf", "description", "title", "$comment"} else []
    )
    if "$ref" in schema:
        found += _alternatives(_referred(schema["$ref"], document), document, depth + 1)
    for key in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(key, ()):
            found += _alternatives(part, document, depth + 1)
    for key in ("then", "else"):
        found += _alternatives(schema[key], document, depth + 1) if key in schema else []
    return found or [{}]


_MAX_DEPTH = 32


def _referred(reference: str, document: Any) -> Any:  # noqa: ANN401 - JSON
    """What a reference inside the document leads to; anything where it leads elsewhere."""
    here = document
    if not reference.startswith("#"):
        return {}
    for part in reference[1:].split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        here = here.get(key, {}) if isinstance(here, dict) else {}
    return here


# --- the payload ------------------------------------------------------------------------------------------------------


def _of_class(element: Element) -> SchemaNode:
    return SchemaNode(
        element.name,
        frozenset(element.type.attributes),
        lambda: (_of_class(child) for child in element.type.children.values()),
    )


# --- paths of rows ----------------------------------------------------------------------------------------------------


def _step(here: SchemaNodes, step: Step) -> tuple[SchemaNodes, list[str]]:
    found: set[SchemaNode] = set()
    unknown = []
    for name in step.names:
        named = {child for node in here for child in node.named(name)}
        if here and not named:
            unknown.append(local(name))
        found |= named
    after = frozenset(found)
    for predicate in step.predicates:
        unknown += _predicate(after, predicate)
    return after, unknown


def _predicate(here: SchemaNodes, predicate: Predicate) -> list[str]:
    for name in predicate.steps:
        after = frozenset(child for node in here for child in node.named(name))
        if here and not after:
            return [local(name)]
        here = after
    if predicate.attribute and here and not any(node.has_attribute(predicate.attribute) for node in here):
        return [f"@{local(predicate.attribute)}"]
    return []


def _unmentioned(here: SchemaNodes, node: SourceNode, path: str) -> Iterator[str]:
    if node.drop is not None:
        return
    known = {child.name: child for one in here for child in one.children if child.name != ANY}
    for name, child in sorted(known.items()):
        below = node.children.get(name)
        if below is None:
            yield f"{path}/{local(name)}"
        elif below.children:
            yield from _unmentioned(frozenset((child,)), below, f"{path}/{local(name)}")
