"""Reads ``mappings/`` and ``xsd/`` into the frozen Catalogue; alone in knowing how those folders look."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lxml import etree

from broker.content.pointers import Pointers
from broker.content.xml import MAX_CONTENT
from broker.mapping import RowMapping, XsltMapping, merge, read_mapping, read_rows
from broker.mapping.compiler.target import read_target
from broker.mapping.language import uses
from broker.model.documents import DocumentType, Envelope
from broker.model.errors import Misconfigured
from broker.model.ids import DocumentTypeName
from broker.model.outcomes import Catalogue
from broker.paths import data_root as data_root  # noqa: PLC0414 -- said again for those who ask here
from broker.registry import digests
from broker.registry.codelists import load_code_list
from broker.registry.identifiers import NO_IDENTIFIERS, load_identifiers
from broker.registry.issuance import issuance_of
from broker.registry.participants import load_participant, participant_files, refuse_doubles
from broker.registry.rules import load_shared, rules_of, tolerances_of
from broker.toml_table import Table, read_toml
from broker.validate import Schema
from broker.validate.json_schema import JsonSchema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from broker.mapping.compiler.target import Element
    from broker.mapping.language.rows import Rows
    from broker.model.issuance import Issuance
    from broker.registry.identifiers import Identifiers

_T = TypeVar("_T")
_V = TypeVar("_V")
Heard = Callable[[Misconfigured], None]
"""Who hears of parts that are at fault."""
PAYLOAD_SCHEMA = Path("wco/3.6/payload.xsd")
DOCUMENT_KEYS = frozenset(
    {"name", "root", "when", "schema", "namespaces", "response", "absent", "editions", "extends", "tolerates"}
    | {"published", "valid_from"}
)
"""What a ``document.toml`` may say; ``published`` and ``valid_from`` are for people."""
_FOR_PEOPLE = frozenset({"name", "response", "published", "valid_from"})
"""Keys of a ``document.toml`` that change no payload."""
_DATA = frozenset({".toml", ".csv", ".xsd", ".json", ".xslt", ".xsl"})


def load(root: Path | None = None, *, max_content: int = MAX_CONTENT, heard: Heard | None = None) -> Catalogue:
    """The whole catalogue; schemas and mappings compile on first use. Raises Misconfigured with file and place.

    With ``heard`` each part that is at fault is told and left out, and the others are read.
    """
    root = root or data_root()
    mappings, schemas = root / "mappings", root / "xsd"
    lists = sorted((mappings / "codelists").glob("*/list.toml"))
    code_lists = {one.name: one for one in _each(load_code_list, lists, heard)}
    numberings = [mappings / "codelists" / "identifiers.toml"]
    identifiers = next(_each(load_identifiers, numberings, heard), NO_IDENTIFIERS)
    reader = _Documents(mappings / "documents", schemas, code_lists, identifiers)
    types = {t.name: t for t in _each(reader.read, reader.folders(), heard)}
    shared = next(_each(load_shared, [mappings / "rules"], heard), {})
    read = partial(load_participant, shared=shared)
    people = {p.code: p for p in _each(read, participant_files(mappings / "participants"), heard)}
    for _ in _each(refuse_doubles, [people], heard):
        pass
    roots: dict[str, tuple[DocumentType, ...]] = {}
    for document_type in types.values():
        roots[document_type.root] = (*roots.get(document_type.root, ()), document_type)
    return Catalogue(
        document_types=types,
        envelopes=tuple(_each(_envelope, sorted((mappings / "envelopes").glob("*.toml")), heard)),
        participants=people,
        code_lists=code_lists,
        identifiers=identifiers,
        payload_schema=Schema(schemas / PAYLOAD_SCHEMA),
        roots=roots,
        max_content=max_content,
        decisions=decisions_digest(root),
    )


def _each(read: Callable[[_T], _V], parts: Iterable[_T], heard: Heard | None) -> Iterator[_V]:
    """Each part as it is read; one that cannot be raises, or is told where somebody hears it."""
    for part in parts:
        try:
            yield _told(part, read)
        except Misconfigured as error:
            if heard is None:
                raise
            heard(error)


def _told(part: _T, read: Callable[[_T], _V]) -> _V:
    """A part as it is read; whatever its reader did not foresee names the part too."""
    try:
        return read(part)
    except (LookupError, TypeError, ValueError, AttributeError, OSError, RecursionError, etree.LxmlError) as error:
        place = part / "document.toml" if isinstance(part, Path) and part.is_dir() else part
        raise Misconfigured(f"{place}: cannot be read: {type(error).__name__}: {error}") from error


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


class _Documents:
    """``mappings/documents/<family>/<format>-<version>/``, each with what it extends."""

    def __init__(self, folder: Path, schemas: Path, code_lists: Mapping[str, Any], identifiers: Identifiers) -> None:
        self.folder = folder
        self.schemas = schemas
        self.code_lists = code_lists
        self.identifiers = identifiers
        self.toml = cache(read_toml)
        self.rows = cache(read_mapping)
        """A file that several types take over is parsed once."""
        self.declaration = cache(lambda: read_target(schemas / PAYLOAD_SCHEMA, "Declaration"))

    def folders(self) -> list[Path]:
        """The folder of every document type, by name."""
        return [file.parent for file in sorted(self.folder.glob("*/*/document.toml"))]

    def read(self, folder: Path) -> DocumentType:
        """The document type that a folder describes."""
        name = f"{folder.parent.name}/{folder.name}"
        table = Table(self._document(name), str(folder / "document.toml"))
        table.for_people("published", "valid_from", "extends")
        namespaces = table.names("namespaces")
        schema, absent, editions = table.text("schema"), table.texts("absent"), table.names("editions")
        document_type = DocumentType(
            name=DocumentTypeName(name),
            title=table.text("name"),
            family=folder.parent.name,
            root=table.text("root"),
            when=_test(table, namespaces),
            namespaces=namespaces,
            schema=_schema(self.schemas / schema),
            mapping=self._rows_or_stylesheet(folder, name, namespaces, frozenset(absent), self._pinned(name, editions)),
            rules=rules_of(Table({"rules": self._rules(name)}, str(folder / "rules.toml"))),
            folder=str(folder),
            response=table.text("response", ""),
            tolerates=tolerances_of(table),
            issuance=self._issuance(name),
        )
        table.end()
        return document_type

    def _rows_or_stylesheet(
        self,
        folder: Path,
        name: str,
        namespaces: Mapping[str, str],
        absent: frozenset[str],
        pinned: Mapping[str, Any],
    ) -> RowMapping | XsltMapping:
        stylesheet = folder / "mapping.xslt"
        data = self._document(name)
        if stylesheet.exists():
            beside = partial(self._beside, name, data, lambda: frozenset(self.code_lists), lambda: False)
            return XsltMapping(name, stylesheet, self.code_lists, beside)
        rows = cache(partial(self._rows, name, namespaces))
        beside = partial(
            self._beside, name, data, lambda: uses.code_lists(rows()), lambda: uses.has_identifiers(rows())
        )
        lists = {**self.code_lists, **pinned}
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
                "issuance": digests.of_value(self._issued(name)),
                "schemas": digests.of_files(schemas | digests.with_imports(self.schemas / PAYLOAD_SCHEMA), root),
                "lists": digests.of_files(files, root),
            }
        )

    def _pinned(self, name: str, editions: Mapping[str, str]) -> dict[str, Any]:
        """The code lists that a document type holds to one edition, whatever the document's date."""
        place = f"{self.folder / name / 'document.toml'}: editions"
        if unknown := sorted(set(editions) - set(self.code_lists)):
            raise Misconfigured(f"{place}: there is no code list {unknown[0]!r}")
        try:
            return {code_list: self.code_lists[code_list].pin(version) for code_list, version in editions.items()}
        except Misconfigured as error:
            raise Misconfigured(f"{place}: {error}") from None

    def _rows(self, name: str, namespaces: Mapping[str, str]) -> Rows:
        return read_rows(
            self._mapping(name), namespaces, str(self.folder / name / "mapping.toml"), self._own_rows(name)[1]
        )

    def _declaration(self) -> Element:
        return self.declaration()

    def _document(self, name: str) -> dict[str, Any]:
        data = self._known(self.folder / name / "document.toml", DOCUMENT_KEYS)
        if not (extended := self._base(name)):
            return data
        base = self._document(extended)
        return {**base, **data, "namespaces": {**base.get("namespaces", {}), **data.get("namespaces", {})}}

    def _base(self, name: str) -> str:
        """The type whose data a type takes over; raises Misconfigured for one that is not there, and for a circle."""
        chain = [name]
        while base := self.toml(self.folder / chain[-1] / "document.toml").get("extends", ""):
            place = f"{self.folder / chain[-1] / 'document.toml'}: extends"
            if not (self.folder / base / "document.toml").is_file():
                raise Misconfigured(f"{place}: there is no document type {base}")
            if base in chain:
                raise Misconfigured(f"{place}: goes in a circle: {' -> '.join([*chain, base])}")
            chain.append(base)
        return chain[1] if len(chain) > 1 else ""

    def _mapping(self, name: str, extending: tuple[str, ...] = ()) -> dict[str, Any]:
        own, base = self._own_rows(name)
        if base in extending:
            circle = " -> ".join([*extending, name, base])
            raise Misconfigured(f"{self.folder / name / 'mapping.toml'}: extends: goes in a circle: {circle}")
        return merge(self._mapping(base, (*extending, name)), own) if base else own

    def _own_rows(self, name: str) -> tuple[dict[str, Any], str]:
        """What a type's mapping.toml lists, and the type whose rows it takes over."""
        file = self.folder / name / "mapping.toml"
        extended = self._base(name)
        if not file.exists() and extended:
            return {}, extended
        own = self.rows(file)
        base = own.get("extends", "")
        if base and not (self.folder / base / "document.toml").is_file():
            raise Misconfigured(f"{file}: extends: there is no document type {base}")
        return own, base

    def _rules(self, name: str) -> list[dict[str, Any]]:
        rules = self._rules(base) if (base := self._base(name)) else []
        file = self.folder / name / "rules.toml"
        own = self._known(file, {"rules"}).get("rules", []) if file.exists() else []
        replaced = {rule.get("id") for rule in own}
        return [rule for rule in rules if rule.get("id") not in replaced] + [r for r in own if not r.get("remove")]

    def _issuance(self, name: str) -> Issuance | None:
        """The type's own table, else that of the type it extends."""
        file = self.folder / name / "issuance.toml"
        if not file.exists():
            return self._issuance(base) if (base := self._base(name)) else None
        table = Table(self.toml(file), str(file))
        issuance = issuance_of(table)
        table.end()
        return issuance

    def _issued(self, name: str) -> dict[str, Any]:
        """The same as it is written."""
        file = self.folder / name / "issuance.toml"
        if file.exists():
            return self.toml(file)
        return self._issued(base) if (base := self._base(name)) else {}

    def _known(self, file: Path, keys: Collection[str]) -> dict[str, Any]:
        """A TOML file that says nothing but these keys, so that no misspelt one passes."""
        data = self.toml(file)
        if strangers := sorted(set(data) - set(keys)):
            raise Misconfigured(f"{file}: {', '.join(strangers)} is no key here; known are {', '.join(sorted(keys))}")
        return data


def _schema(file: Path) -> Schema | JsonSchema:
    return JsonSchema(file) if file.suffix == ".json" else Schema(file)


def _test(table: Table, namespaces: Mapping[str, str]) -> etree.XPath | None:
    """The condition ``when`` of a table, on the root element; None where there is none."""
    expression = table.text("when", "")
    if not expression:
        return None
    try:
        compiled = etree.XPath(f"boolean({expression})", namespaces=dict(namespaces), smart_strings=False)
        compiled(etree.Element("nothing"))  # prefixes and functions are looked up when it is asked
    except etree.XPathError as error:
        raise table.wrong(f"when: {expression!r} is not XPath 1.0: {error}") from None
    return compiled


def _envelope(file: Path) -> Envelope:
    table = Table.read(file)
    if "form" not in table:
        raise table.wrong("form is missing")
    namespaces = table.names("namespaces")
    envelope = Envelope(
        name=table.text("name", file.stem),
        root=table.text("root"),
        content=table.text("content"),
        form=table.choice("form", ("element", "text", "base64", "salted"), "element"),
        namespaces=namespaces,
        why=table.text("why"),
        when=_test(table, namespaces),
        parts=_steps(table, namespaces),
        issuance=issuance_of(table),
    )
    table.end()
    return envelope


def _steps(table: Table, namespaces: Mapping[str, str]) -> tuple[str, ...]:
    """The Clark names of the plain steps in ``parts``."""
    path, steps = table.text("parts", ""), []
    for step in path.split("/") if path else ():
        prefix, colon, local = step.partition(":")
        if colon and prefix not in namespaces:
            raise table.wrong(f"parts: prefix {prefix!r} is not among the namespaces {sorted(namespaces)}")
        steps.append(f"{{{namespaces[prefix]}}}{local}" if colon else step)
    return tuple(steps)
