"""Reads ``mappings/`` and ``xsd/`` into the frozen Catalogue; alone in knowing how those folders look."""

from __future__ import annotations

import tomllib
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from broker.content.pointers import Pointers
from broker.content.xml import MAX_CONTENT
from broker.mapping import RowMapping, XsltMapping, merge, read_rows
from broker.mapping.compiler.target import read_target
from broker.mapping.language import uses
from broker.model.documents import DocumentType, Envelope
from broker.model.errors import Misconfigured
from broker.model.ids import DocumentTypeName
from broker.model.outcomes import Catalogue
from broker.paths import data_root as data_root  # noqa: PLC0414 -- said again for those who ask here
from broker.registry import digests
from broker.registry.codelists import load_code_lists
from broker.registry.identifiers import load_identifiers
from broker.registry.issuance import issuance_of
from broker.registry.participants import load_participants
from broker.toml_table import Table
from broker.validate import Schema
from broker.validate.json_schema import JsonSchema
from broker.validate.rules import rules_of, tolerances_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from broker.mapping.compiler.target import Element
    from broker.mapping.language.rows import Rows
    from broker.model.issuance import Issuance
    from broker.registry.identifiers import Identifiers

PAYLOAD_SCHEMA = Path("wco/3.6/payload.xsd")
DOCUMENT_KEYS = frozenset(
    {"name", "root", "when", "schema", "namespaces", "response", "absent", "editions", "extends", "tolerates"}
    | {"published", "valid_from"}
)
"""What a ``document.toml`` may say; ``published`` and ``valid_from`` are for people."""
_FOR_PEOPLE = frozenset({"name", "response", "published", "valid_from"})
"""Keys of a ``document.toml`` that change no payload."""
_DATA = frozenset({".toml", ".csv", ".xsd", ".json", ".xslt", ".xsl"})


def load(root: Path | None = None, *, max_content: int = MAX_CONTENT) -> Catalogue:
    """The whole catalogue; schemas and mappings compile on first use. Raises Misconfigured with file and place."""
    root = root or data_root()
    mappings, schemas = root / "mappings", root / "xsd"
    code_lists = load_code_lists(mappings / "codelists")
    identifiers = load_identifiers(mappings / "codelists" / "identifiers.toml")
    reader = _Documents(mappings / "documents", schemas, code_lists, identifiers)
    types = {t.name: t for t in reader.read()}
    roots: dict[str, tuple[DocumentType, ...]] = {}
    for document_type in types.values():
        roots[document_type.root] = (*roots.get(document_type.root, ()), document_type)
    return Catalogue(
        document_types=types,
        envelopes=tuple(_envelope(file) for file in sorted((mappings / "envelopes").glob("*.toml"))),
        participants=load_participants(mappings / "participants"),
        code_lists=code_lists,
        identifiers=identifiers,
        payload_schema=Schema(schemas / PAYLOAD_SCHEMA),
        roots=roots,
        max_content=max_content,
        decisions=decisions_digest(root),
    )


def decisions_digest(root: Path) -> str:
    """The digest of everything that makes a decision: who takes what, what a window demands, what its codes mean."""
    mappings = root / "mappings"
    files = {mappings / name for name in ("relations.toml", "writeoff.toml", "codelists/identifiers.toml")}
    for pattern in ("participants/*/participant.toml", "rules/**/*.toml", "statuses/**/*.toml", "codelists/*/*"):
        files.update(mappings.glob(pattern))
    return digests.of_files(files | digests.with_imports(root / "xsd" / PAYLOAD_SCHEMA), root)


def data_files(root: Path) -> list[Path]:
    """Every file that a catalogue is made of, and none that is there for people and tests alone."""
    found = (file for folder in ("mappings", "xsd") for file in (root / folder).rglob("*"))
    return sorted(file for file in found if file.is_file() and file.suffix in _DATA and "samples" not in file.parts)


def catalogue_digest(root: Path) -> str:
    """The digest of a whole catalogue: of all its files."""
    return digests.of_files(data_files(root), root)


def payload_pointers(root: Path | None = None) -> Pointers:
    """The chains of WCO class ids of the payload's classes."""
    schema = (root or data_root()) / "xsd" / PAYLOAD_SCHEMA.with_name("declaration.xsd")
    return Pointers(etree.parse(schema).getroot())


def warm(catalogue: Catalogue) -> None:
    """Compile every schema and mapping now, so that no message waits for it; raises Misconfigured."""
    catalogue.payload_schema.warm()
    for document_type in catalogue.document_types.values():
        document_type.schema.warm()
        document_type.mapping.warm()


def read_toml(file: Path) -> dict[str, Any]:
    """A TOML file; raises Misconfigured with its name."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Misconfigured(f"{file}: the file is missing") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{file}: not TOML: {error}") from None


class _Documents:
    """``mappings/documents/<family>/<format>-<version>/``, each with what it extends."""

    def __init__(self, folder: Path, schemas: Path, code_lists: Mapping[str, Any], identifiers: Identifiers) -> None:
        self.folder = folder
        self.schemas = schemas
        self.code_lists = code_lists
        self.identifiers = identifiers
        self.toml = cache(read_toml)
        """A file that several types take over is parsed once."""
        self.declaration = cache(lambda: read_target(schemas / PAYLOAD_SCHEMA, "Declaration"))

    def read(self) -> list[DocumentType]:
        """Every document type, by name."""
        return [self._type(file.parent) for file in sorted(self.folder.glob("*/*/document.toml"))]

    def _type(self, folder: Path) -> DocumentType:
        name = f"{folder.parent.name}/{folder.name}"
        data = self._document(name)
        for key in ("name", "root", "schema"):
            if not data.get(key):
                raise Misconfigured(f"{folder / 'document.toml'}: {key} is missing")
        namespaces = data.get("namespaces", {})
        return DocumentType(
            name=DocumentTypeName(name),
            title=data["name"],
            family=folder.parent.name,
            root=data["root"],
            when=_test(data.get("when", ""), namespaces, folder / "document.toml"),
            namespaces=namespaces,
            schema=_schema(self.schemas / data["schema"]),
            mapping=self._rows_or_stylesheet(folder, name, data),
            rules=rules_of(Table({"rules": self._rules(name)}, f"{name}/rules.toml")),
            folder=str(folder),
            response=data.get("response", ""),
            tolerates=tolerances_of(Table({"tolerates": data.get("tolerates", [])}, f"{name}/document.toml")),
            issuance=self._issuance(name),
        )

    def _rows_or_stylesheet(self, folder: Path, name: str, data: Mapping[str, Any]) -> RowMapping | XsltMapping:
        stylesheet = folder / "mapping.xslt"
        if stylesheet.exists():
            beside = partial(self._beside, name, data, lambda: frozenset(self.code_lists), lambda: False)
            return XsltMapping(name, stylesheet, self.code_lists, beside)
        rows = cache(partial(self._rows, name, data.get("namespaces", {})))
        beside = partial(
            self._beside, name, data, lambda: uses.code_lists(rows()), lambda: uses.has_identifiers(rows())
        )
        lists = {**self.code_lists, **self._pinned(name, data.get("editions", {}))}
        absent = frozenset(data.get("absent", ()))
        return RowMapping(name, rows, self._declaration, lists, absent, identifiers=self.identifiers, beside=beside)

    def _beside(
        self,
        name: str,
        data: Mapping[str, Any],
        lists: Callable[[], frozenset[str]],
        has_identifiers: Callable[[], bool],
    ) -> str:
        """The digest of what makes a payload of this type besides its rows: its own data, rules, schemas and lists."""
        codes, root = self.folder.parent / "codelists", self.schemas.parent
        files = {file for one in lists() for file in (codes / one).glob("*")}
        files |= {codes / "identifiers.toml"} if has_identifiers() else set()
        schemas = digests.with_imports(self.schemas / data["schema"])
        return digests.digest(
            {
                "document": digests.of_value({key: data[key] for key in data if key not in _FOR_PEOPLE}),
                "rules": digests.of_value(self._rules(name)),
                "schemas": digests.of_files(schemas | digests.with_imports(self.schemas / PAYLOAD_SCHEMA), root),
                "lists": digests.of_files(files, root),
            }
        )

    def _pinned(self, name: str, editions: Mapping[str, str]) -> dict[str, Any]:
        """The code lists that a document type holds to one edition, whatever the document's date."""
        unknown = sorted(set(editions) - set(self.code_lists))
        if unknown:
            raise Misconfigured(f"{name}/document.toml: editions: there is no code list {unknown[0]!r}")
        return {code_list: self.code_lists[code_list].pin(version) for code_list, version in editions.items()}

    def _rows(self, name: str, namespaces: Mapping[str, str]) -> Rows:
        return read_rows(self._mapping(name), namespaces, f"{name}/mapping.toml", self._own_rows(name)[1])

    def _declaration(self) -> Element:
        return self.declaration()

    def _document(self, name: str) -> dict[str, Any]:
        data = self._known(self.folder / name / "document.toml", DOCUMENT_KEYS)
        if "extends" not in data:
            return data
        base = self._document(data["extends"])
        return {**base, **data, "namespaces": {**base.get("namespaces", {}), **data.get("namespaces", {})}}

    def _mapping(self, name: str) -> dict[str, Any]:
        own, base = self._own_rows(name)
        return merge(self._mapping(base), own) if base else own

    def _own_rows(self, name: str) -> tuple[dict[str, Any], str]:
        """What a type's mapping.toml lists, and the type whose rows it takes over."""
        file = self.folder / name / "mapping.toml"
        document = self.toml(self.folder / name / "document.toml")
        if not file.exists() and "extends" in document:
            return {}, document["extends"]
        own = self.toml(file)
        return own, own.get("extends", "")

    def _rules(self, name: str) -> list[dict[str, Any]]:
        document = self.toml(self.folder / name / "document.toml")
        rules = self._rules(document["extends"]) if "extends" in document else []
        file = self.folder / name / "rules.toml"
        own = self._known(file, {"rules"}).get("rules", []) if file.exists() else []
        replaced = {rule.get("id") for rule in own}
        return [rule for rule in rules if rule.get("id") not in replaced] + [r for r in own if not r.get("remove")]

    def _issuance(self, name: str) -> Issuance | None:
        """The type's own table, else that of the type it extends."""
        file = self.folder / name / "issuance.toml"
        document = self.toml(self.folder / name / "document.toml")
        if not file.exists():
            return self._issuance(document["extends"]) if "extends" in document else None
        table = Table(self.toml(file), f"{name}/issuance.toml")
        issuance = issuance_of(table)
        table.end()
        return issuance

    def _known(self, file: Path, keys: Collection[str]) -> dict[str, Any]:
        """A TOML file that says nothing but these keys, so that no misspelt one passes."""
        data = self.toml(file)
        if strangers := sorted(set(data) - set(keys)):
            raise Misconfigured(f"{file}: {', '.join(strangers)} is no key here; known are {', '.join(sorted(keys))}")
        return data


def _schema(file: Path) -> Schema | JsonSchema:
    return JsonSchema(file) if file.suffix == ".json" else Schema(file)


def _test(expression: str, namespaces: Mapping[str, str], place: Path) -> etree.XPath | None:
    if not expression:
        return None
    try:
        return etree.XPath(f"boolean({expression})", namespaces=dict(namespaces), smart_strings=False)
    except etree.XPathSyntaxError as error:
        raise Misconfigured(f"{place}: when: {error}") from None


def _envelope(file: Path) -> Envelope:
    table = Table.read(file)
    if "form" not in table.unread():
        raise table.wrong("form is missing")
    namespaces = table.names("namespaces")
    envelope = Envelope(
        name=table.text("name", file.stem),
        root=table.text("root"),
        content=table.text("content"),
        form=table.choice("form", ("element", "text", "base64", "salted"), "element"),
        namespaces=namespaces,
        why=table.text("why"),
        when=_test(table.text("when", ""), namespaces, file),
        parts=_steps(table.text("parts", ""), namespaces, file),
        issuance=issuance_of(table),
    )
    table.end()
    return envelope


def _steps(path: str, namespaces: Mapping[str, str], file: Path) -> tuple[str, ...]:
    """The Clark names of a path of plain steps."""
    steps = []
    for step in path.split("/") if path else ():
        prefix, colon, local = step.partition(":")
        if colon and prefix not in namespaces:
            raise Misconfigured(f"{file}: parts: prefix {prefix!r} is not among the namespaces {sorted(namespaces)}")
        steps.append(f"{{{namespaces[prefix]}}}{local}" if colon else step)
    return tuple(steps)
