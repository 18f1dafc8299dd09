"""Document types: how they are told apart, their schemas and rules, and each row against both schemas and the lists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lxml import etree

from broker.answers.way_back import ALWAYS
from broker.mapping.compiler.bind import lay_out
from broker.mapping.compiler.write import write
from broker.mapping.language import uses
from broker.mapping.language.rows import BadRows
from broker.mapping.mapping import rows_of
from broker.model.errors import Misconfigured
from broker.relay.ledger import granting_families
from broker.toml_table import read_toml
from broker.validate import check as check_rules
from broker.workbench.check.reasons import FILE as PLACES
from broker.workbench.check.reasons import missing_places, read_places, untrue_reasons
from broker.workbench.fault import DataFault, of_error, placed
from broker.workbench.schema_tree import SchemaTree, schema_tree
from broker.workbench.versions import bases
from broker.workbench.xpath_names import XPathNames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from broker.mapping.language.rows import Group, Row, Rows
    from broker.model.conditions import Condition
    from broker.model.conditions import Path as RowPath
    from broker.model.documents import DocumentType
    from broker.workbench.check.scope import CheckScope
    from broker.workbench.schema_tree import SchemaNode, SchemaNodes


def count_rows(document_type: DocumentType) -> int:
    """How many rows a type has; none where they cannot be read."""
    try:
        rows = rows_of(document_type).rows
    except (Misconfigured, AttributeError):
        return 0
    return sum(1 for _ in uses.every(rows.body))


def faults(document_type: DocumentType, scope: CheckScope) -> Iterator[DataFault]:
    """What is wrong with one type."""
    home = f"mappings/documents/{document_type.name}"
    file = DataFault(f"{home}/document.toml", "")
    tree = None
    try:
        document_type.schema.warm()
        tree = schema_tree(document_type.schema.file)
    except Exception as error:  # noqa: BLE001 - whatever a schema's reader says, it is told with the file
        yield placed(replace(file, sentence=f"schema: {_plain(error, scope)}", row="schema"), scope.root, "schema =")
    top = tree.root(document_type.root) if tree else frozenset()
    if tree and not top:
        text = f"the schema declares no root element {document_type.root}"
        yield placed(replace(file, sentence=text, row="root"), scope.root, "root =")
    names = XPathNames(next(iter(top)), document_type.namespaces) if top else None
    yield from _rules(document_type, names, scope)
    yield from _issuance(document_type, names, scope)
    yield from _rows(document_type, tree if top else None, scope)


def faults_of_all(scope: CheckScope) -> Iterator[DataFault]:
    """Types that nothing tells apart, and families that grant what no row reads."""
    for root, types in scope.catalogue.roots.items():
        open_ones = [t.name for t in types if t.when is None]
        if len(open_ones) > 1:
            for name in open_ones[1:]:
                fault = DataFault(
                    f"mappings/documents/{name}/document.toml",
                    f"{' and '.join(open_ones)} have the root {root}, and no `when` tells them apart",
                    row="root",
                )
                yield placed(fault, scope.root, "root =", "name =")
    envelopes: dict[str, list[str]] = {}
    for envelope in scope.catalogue.envelopes:
        if envelope.when is None:
            envelopes.setdefault(envelope.root, []).append(envelope.name)
        yield from _envelope(envelope.name, scope)
    for root, names in envelopes.items():
        if len(names) > 1:
            text = f"{' and '.join(names)} have the root {root}, and no `when` tells them apart"
            yield placed(DataFault(f"mappings/envelopes/{names[-1]}.toml", text, row="root"), scope.root, "root =")
    yield from _ungranted(scope)
    yield from _payload(scope)


def _payload(scope: CheckScope) -> Iterator[DataFault]:
    """The payload's own schema and the rules beside it: what every document must become."""
    schema = scope.catalogue.payload_schema
    try:
        schema.warm()
        check_rules(schema.rules, schema.namespaces)
    except (Misconfigured, etree.LxmlError, OSError) as error:
        yield of_error(error, schema.file.with_suffix(".rules.toml"), scope.root)


def _plain(error: Exception, scope: CheckScope) -> str:
    return str(error).replace(f"{scope.root}/", "")


def _envelope(name: str, scope: CheckScope) -> Iterator[DataFault]:
    """Its XPaths asked of a wrapping with nothing in it."""
    envelope = next(one for one in scope.catalogue.envelopes if one.name == name)
    for key, expression in (("content", envelope.content),):
        try:
            etree.Element("nothing").xpath(expression, namespaces=dict(envelope.namespaces))
        except (etree.XPathError, TypeError, ValueError) as error:
            file = next(iter(sorted((scope.root / "mappings" / "envelopes").glob(f"{name}.toml"))), None)
            where = f"mappings/envelopes/{file.name if file else name}"
            fault = DataFault(where, f"{key}: {expression!r} is no XPath 1.0: {error}", row=key)
            yield placed(fault, scope.root, f"{key} =")


def _ungranted(scope: CheckScope) -> Iterator[DataFault]:
    """A document that grants a quantity and has no table of states would grant as a draft, and when it was ended."""
    file = scope.root / "mappings" / "writeoff.toml"
    try:
        families = granting_families(file) if file.is_file() else frozenset()
    except Misconfigured:
        return  # told with the answers
    for document_type in scope.document_types():
        if document_type.family in families and document_type.issuance is None:
            text = (
                f"the family {document_type.family} grants quantities (writeoff.toml): say which documents are in force"
            )
            yield DataFault(f"mappings/documents/{document_type.name}/issuance.toml", text)


# --- rules ------------------------------------------------------------------------------------------------------------


def _rules(document_type: DocumentType, names: XPathNames | None, scope: CheckScope) -> Iterator[DataFault]:
    """Rules that are no XPath, that name what the schema has not, and that some language does not say."""
    own = _own_rules(document_type, scope)
    file = DataFault(f"mappings/documents/{document_type.name}/rules.toml", "")
    ids = [rule.id for rule in document_type.rules]
    for rule in document_type.rules:
        if rule.id not in own:
            continue  # told of the type that it comes from
        found = [f"two rules have the id {rule.id}"] if ids.count(rule.id) > 1 else []
        try:
            check_rules([rule], document_type.namespaces)
        except (Misconfigured, TypeError) as error:
            found.append(str(error))
        if names is not None and not found:
            here, unknown = names.follow(rule.each, names.start)
            found += [_unknown("each", name) for name in unknown]
            for key, expression in (("when", rule.when), ("test", rule.test), ("at", rule.at)):
                if expression and here:
                    found += [_unknown(key, name) for name in names.follow(expression, here)[1]]
        found += [f"message.{language} is missing" for language in ALWAYS if not rule.message.get(language)]
        for text in dict.fromkeys(found):
            yield placed(replace(file, sentence=f"{rule.id}: {text}", row=rule.id), scope.root, f'"{rule.id}"')
    yield from _tolerances(document_type, names, scope)


def _tolerances(document_type: DocumentType, names: XPathNames | None, scope: CheckScope) -> Iterator[DataFault]:
    file = DataFault(f"mappings/documents/{document_type.name}/document.toml", "")
    for one in document_type.tolerates:
        found = []
        try:
            check_rules((), document_type.namespaces, [one])
        except (Misconfigured, TypeError) as error:
            found.append(str(error))
        if names is not None and not found and one.trim:
            found += [_unknown("trim", name) for name in names.follow(one.trim, names.start)[1]]
        for text in found:
            yield placed(replace(file, sentence=f"{one.id}: {text}", row=one.id), scope.root, f'"{one.id}"')


def _issuance(document_type: DocumentType, names: XPathNames | None, scope: CheckScope) -> Iterator[DataFault]:
    """The table of states against the schema: a mark with a misspelt path would never be seen."""
    where = f"mappings/documents/{document_type.name}/issuance.toml"
    if names is None or document_type.issuance is None or not (scope.root / where).is_file():
        return
    for expression in document_type.issuance.expressions():
        for unknown in names.follow(expression, names.start)[1]:
            fault = DataFault(where, _unknown(expression, unknown), row=expression)
            yield placed(fault, scope.root, expression)


def _own_rules(document_type: DocumentType, scope: CheckScope) -> set[str]:
    file = scope.type_folder(document_type.name) / "rules.toml"
    try:
        data = read_toml(file) if file.is_file() else {}
    except Misconfigured:
        return set()
    return {str(rule.get("id")) for rule in data.get("rules", ())}


def _unknown(key: str, name: str) -> str:
    return f"{key}: {name}" if " " in name else f"{key}: the schema has no {name} there"


# --- rows -------------------------------------------------------------------------------------------------------------


def _rows(document_type: DocumentType, tree: SchemaTree | None, scope: CheckScope) -> Iterator[DataFault]:
    """The rows of one format against the payload's schema, its own schema and the code lists."""
    folder = scope.type_folder(document_type.name)
    mapping = rows_of(document_type)
    if not mapping.has_lineage:
        try:
            mapping.warm()
        except (Misconfigured, OSError, etree.LxmlError) as error:
            yield of_error(error, folder / "mapping.xslt", scope.root)
        return
    try:
        rows = mapping.rows
    except Exception as error:  # noqa: BLE001 - whatever its reader says, it is told with the file
        for one in getattr(error, "faults", (error,)):
            fault = of_error(one, scope.root / _file_of(document_type, scope), scope.root)
            named = fault.sentence.partition(": ")[0]
            yield _at(replace(fault, where=_file_of(document_type, scope)), None, named, document_type, scope)
        if not isinstance(error, BadRows):
            return
        rows = error.others
        yield from _each_compiled(document_type, rows, scope)
    else:
        yield from _compiled(document_type, rows, scope)
    if tree is None:
        return
    start = tree.root(document_type.root)
    found = list(_paths(rows.body, tree, (start,)))
    if rows.date is not None:
        found += [(None, f"date, {rows.date.text}", name) for name in tree.follow(start, rows.date)[1]]
    for row, where, unknown in found:
        fault = DataFault(_file_of(document_type, scope), f"{where}: the source schema has no {unknown} there")
        yield _at(fault, row, where, document_type, scope)
    yield from _reasons(document_type, tuple(start), scope)


def _reasons(document_type: DocumentType, start: tuple[SchemaNode, ...], scope: CheckScope) -> Iterator[DataFault]:
    """Reasons of drops that are not true of the payload's schema."""
    mapping = rows_of(document_type)
    try:
        source = mapping.plan.scopes[0].node
    except Exception:  # noqa: BLE001 - whatever it is, it was told already, of its row
        return
    places = read_places(scope.root / "mappings" / PLACES)
    for drop, text in dict.fromkeys(untrue_reasons(start, source, places)):
        where = f"drop {drop}"
        yield _at(DataFault(_file_of(document_type, scope), f"{where}: {text}"), None, where, document_type, scope)
    for text in missing_places(places, mapping.declaration):
        yield DataFault(f"mappings/{PLACES}", text)


def _compiled(document_type: DocumentType, rows: Rows, scope: CheckScope) -> Iterator[DataFault]:
    """What the compiler says; where it says no, each row is compiled by itself, so that every one is told."""
    mapping = rows_of(document_type)
    try:
        mapping.warm()
    except Exception as error:  # noqa: BLE001 - a crash of the compiler is told with the row that brings it about
        whole = error
    else:
        return
    told = list(_each_compiled(document_type, rows, scope))
    yield from told or [of_error(whole, scope.root / _file_of(document_type, scope), scope.root)]


def _each_compiled(document_type: DocumentType, rows: Rows, scope: CheckScope) -> Iterator[DataFault]:
    """What the compiler says of each row by itself."""
    mapping = rows_of(document_type)
    for row, alone in _one_by_one(rows):
        try:
            plan = lay_out(alone, mapping.declaration)
            write(plan, mapping.code_lists, mapping.identifiers, traced=False)
        except Exception as error:  # noqa: BLE001 - a crash of the compiler is told with the row that brings it about
            text = _plain(error, scope) if isinstance(error, Misconfigured) else f"{type(error).__name__}: {error}"
            fault = of_error(Misconfigured(text), scope.root / _file_of(document_type, scope), scope.root)
            yield _at(fault, row, f"row {row.name}", document_type, scope)


def _one_by_one(rows: Rows) -> Iterator[tuple[Row, Rows]]:
    """Each row as a mapping of its own, inside the groups that it stands in."""

    def inside(group: Group) -> Iterator[tuple[Row, Group]]:
        for row in group.rows:
            yield row, replace(group, rows=(row,), drops=(), groups=())
        for inner in group.groups:
            for row, kept in inside(inner):
                yield row, replace(group, rows=(), drops=(), groups=(kept,))

    for row, body in inside(rows.body):
        yield row, replace(rows, body=body)


def _file_of(document_type: DocumentType, scope: CheckScope) -> str:
    """The mapping of a type: its own, or that of what it extends."""
    for name in scope.lineage(document_type.name):
        if (scope.type_folder(name) / "mapping.toml").is_file():
            return f"mappings/documents/{name}/mapping.toml"
    return f"mappings/documents/{document_type.name}/mapping.toml"


def _at(fault: DataFault, row: Row | None, where: str, document_type: DocumentType, scope: CheckScope) -> DataFault:
    """The fault at the line of its row, in the file of the type or of one that it extends."""
    words = _words(row) if row is not None else _said(where)
    for first in words:
        for name in scope.lineage(document_type.name):
            file = f"mappings/documents/{name}/mapping.toml"
            found = placed(replace(fault, where=file, row=row.name if row else where), scope.root, first, *words)
            if found.line:
                return found
    return replace(fault, row=row.name if row else where)


def place_of(root: Path, name: str, row: Row) -> str:
    """File and line of a row of a document type, in its own mapping or in that of a type it extends."""
    for first in _words(row):
        for one in bases(root / "mappings" / "documents", name):
            found = placed(DataFault(f"mappings/documents/{one}/mapping.toml", ""), root, first, *_words(row))
            if found.line:
                return found.place
    return ""


def _words(row: Row) -> list[str]:
    """What the line of a row may be known by, the surest first."""
    label = row.to.partition("[")[2].partition("]")[0]
    last = [path.text.rpartition("}")[2].rpartition("/")[2] for path in row.sources]
    statement = [f'statement = "{label}', f'"{label}"', f"[{label}]"] if label else []
    return [f'to = "{row.to}"', *statement, *last, row.label, row.why, row.codes, row.map, row.id]


def _said(where: str) -> list[str]:
    """The same of what a sentence begins with: ``row Exporter/Name, a/b``, ``drop a/b``, ``group X``."""
    named = where.partition(" ")[2] or where
    row, _, path = named.partition(", ")
    label = row.partition("[")[2].partition("]")[0]
    statement = [f'statement = "{label}'] if label else []
    return [f'to = "{row}"', *statement, f'each = "{row}"', f'"{path or row}"', path or row]


def _paths(group: Group, tree: SchemaTree, scopes: tuple[SchemaNodes, ...]) -> Iterator[tuple[Row | None, str, str]]:
    """Row, where in it, and the name in one of its paths that the source schema does not know; scopes from the root."""

    def ask(path: RowPath, of: tuple[SchemaNodes, ...] = scopes) -> Iterator[str]:
        start = of[0] if path.up < 0 else of[max(0, len(of) - 1 - path.up)]
        yield from tree.follow(start, path)[1]

    for row in group.rows:
        up = row.sources[0].up if row.sources else 0
        start = scopes[0] if up < 0 else scopes[max(0, len(scopes) - 1 - up)]
        base = tree.follow(start, row.sources[0])[0] if row.sources else None
        for path in row.sources:
            yield from ((row, f"row {row.name}, {path.text}", name) for name in ask(path))
        for measure in _measures(row):
            is_on_source = measure.attribute and not measure.steps and not measure.up
            of = (*scopes, base) if is_on_source and base is not None else scopes
            yield from ((row, f"row {row.name}, {measure.text}", name) for name in ask(measure, of))
        for path in _tested(row.when):
            yield from ((row, f"row {row.name}, {path.text}", name) for name in ask(path))
    for drop in group.drops:
        if drop.path is not None and not tree.is_open:
            yield from ((None, f"drop {drop.text}", name) for name in ask(drop.path))
    for sub in group.groups:
        where = f"group {sub.name or sub.each.text}"
        yield from ((None, f"{where}, {sub.each.text}", name) for name in ask(sub.each))
        start = scopes[0] if sub.each.up < 0 else scopes[max(0, len(scopes) - 1 - sub.each.up)]
        inner = (*scopes, tree.follow(start, sub.each)[0])
        for path in _tested(sub.when):
            yield from ((None, f"{where}, {path.text}", name) for name in ask(path, inner))
        yield from _paths(sub, tree, inner)


def _measures(row: Row) -> tuple[RowPath, ...]:
    return tuple(path for path in (*row.unit, row.scheme) if path is not None)


def _tested(condition: Condition | None) -> Iterator[RowPath]:
    if condition is not None:
        for test in condition.tests():
            yield from test.paths()
