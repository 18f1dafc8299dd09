"""The mutation proof: no value of a source changes the payload behind lineage's back, and none is named in vain.

Every leaf of every accepted sample is deleted, then changed. Either the document is refused, with a finding at that
leaf; or every payload leaf that differs names the mutated leaf as a source, and every payload leaf that named it
differs, unless its row gives the same for both values (counted by row). A value may move up into the place that another
left, and a value that lost its place may be carried where its row says otherwise: both places name the mutated leaf.

Two lies are looked for besides. A leaf named as a source (not as what decided) has fed the value: another value of it
gives another, unless a table or a transform of the row makes one out of both; the unit of a number is changed into
another unit for that. And a leaf said to be folded stands in the payload, word for word: without it the payload is
another.
``SWB_PROOF=full`` mutates every leaf; else a few of each sample, in turn.
"""

from __future__ import annotations

import copy
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from broker import catalogue
from broker.content.detect import detect
from broker.content.xml import leaves, place, pointers
from broker.mapping import explain, translate
from broker.mapping.language.rows import Row
from broker.model.documents import Document
from broker.model.errors import Refused
from broker.model.ids import NO_MESSAGE_ID
from broker.validate import validate, validate_payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from broker.mapping import Explanation, Origin

pytestmark = pytest.mark.proof

CATALOGUE = catalogue.load()
SAMPLES = sorted(
    path
    for kind in CATALOGUE.document_types.values()
    for path in (Path(kind.folder) / "samples").glob("*.*")
    if path.suffix in {".xml", ".json"} and ".payload" not in path.name and ".findings" not in path.name
    and not path.name.startswith("refused")
)  # fmt: skip
FULL = os.environ.get("SWB_PROOF") == "full"
LEAVES_OF_A_SAMPLE = 6
Leaf = tuple[etree._Element, str | None]


@dataclass
class Account:
    """What came of the mutations of one sample."""

    mutations: int = 0
    refused: int = 0
    refused_elsewhere: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    same: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def changed_value(value: str) -> str:
    """Another value of the same look: digits and letters give place to others."""
    swapped = re.sub(r"[0-8]", lambda m: str(int(m[0]) + 1), value[-1:])
    if swapped != value[-1:]:
        return value[:-1] + swapped
    return value[:-1] + ("X" if value[-1:] != "X" else "Y") if len(value) > 1 else value + value


OTHER_UNIT = {"KGM": "TNE", "TNE": "KGM", "GRM": "KGM", "EUR": "USD", "USD": "EUR"}
"""Of a mass another mass, of a currency another; of all else a number of pieces."""


def other_unit(attribute: str, value: str) -> str:
    """Another unit that is as well known as the first."""
    if attribute.endswith("currencyID"):
        return OTHER_UNIT.get(value, "EUR")
    return OTHER_UNIT.get(value, "C62" if value != "C62" else "SET")


def is_unit(attribute: str | None) -> bool:
    return attribute is not None and attribute.endswith(("unitCode", "currencyID"))


def mutants(document: Document) -> Iterator[tuple[str, int, str | None, Document]]:
    """Each mutation: its kind, the number of the element it touches, the attribute, the mutated document."""
    elements = list(document.root.iter(etree.Element))
    numbers = {element: number for number, element in enumerate(elements)}
    found = list(leaves(document.root))
    step = 1 if FULL else max(1, len(found) // LEAVES_OF_A_SAMPLE)
    offset = 0 if FULL else len(found) % step
    for element, attribute in found[offset::step]:
        for kind in ("delete", "change", *(("unit",) if is_unit(attribute) else ())):
            tree = copy.deepcopy(document.root.getroottree()).getroot()
            root = tree if document.root.getparent() is None else _same_place(tree, document.root)
            copied = list(root.iter(etree.Element))[numbers[element]]
            if attribute is not None:
                if kind == "delete":
                    del copied.attrib[attribute]
                elif kind == "unit":
                    copied.set(attribute, other_unit(attribute, copied.get(attribute).strip()))
                else:
                    copied.set(attribute, changed_value(copied.get(attribute)))
            elif kind == "change":
                copied.text = changed_value(copied.text.strip())
            elif len(copied):
                copied.text = None
            else:
                copied.getparent().remove(copied)
            mutated = Document(document.type, root, document.envelopes, document.line_offset)
            yield kind, numbers[element], attribute, mutated


def _same_place(tree: etree._Element, root: etree._Element) -> etree._Element:
    path = root.getroottree().getpath(root)
    (found,) = tree.getroottree().xpath(path, namespaces={k: v for k, v in root.nsmap.items() if k})
    return found


def leaf_key(origin: Origin, old_paths: dict[str, str]) -> tuple[str, str, frozenset[str]]:
    sources = frozenset(_old(source.path, old_paths) for source in origin.behind)
    return re.sub(r"\[\d+\]", "", origin.target), origin.value, sources


def _old(path: str, old_paths: dict[str, str]) -> str:
    element, at, attribute = path.partition("/@")
    return old_paths.get(element, element) + at + attribute


def prove(sample: Path) -> Account:
    account = Account()
    document = detect(sample.read_bytes(), CATALOGUE)
    try:
        validate(document)
    except Refused:
        return account
    before = explain(document, NO_MESSAGE_ID)
    account.faults += [
        f"said to be folded, and not in the payload: {path}" for path in falsely_folded(document, before)
    ]
    original = list(document.root.iter(etree.Element))
    paths = pointers(document.root)
    for kind, number, attribute, mutated in mutants(document):
        account.mutations += 1
        element = original[number]
        leaf = paths[element] + (f"/@{place(document, element, attribute)[0].rpartition('/@')[2]}" if attribute else "")
        try:
            validate(mutated)
            payload, _ = translate(mutated, NO_MESSAGE_ID)
            validate_payload(payload, mutated, CATALOGUE)
        except Refused as refusal:
            account.refused += 1
            above = paths[element].rpartition("/")[0]
            if not any(f.pointer == leaf or f.pointer.startswith(above) for f in refusal.findings):
                account.refused_elsewhere[refusal.findings[0].code] += 1
            continue
        kept = [n for n in range(len(original)) if not (kind == "delete" and attribute is None and n == number)]
        if kind == "delete" and attribute is None and len(element):
            kept = list(range(len(original)))
        new = pointers(mutated.root)
        old_paths = {
            new[node]: paths[original[n]] for n, node in zip(kept, mutated.root.iter(etree.Element), strict=True)
        }
        touched = {leaf}
        if kind == "delete" and attribute is None:  # its attributes go with it
            touched |= {place(document, element, str(name))[0] for name in element.keys()}  # noqa: SIM118
        after = explain(mutated, NO_MESSAGE_ID)
        compare(account, before, after, touched, old_paths, f"{kind} {leaf}")
        account.faults += lies(before, after, leaf, kind, old_paths)
    return account


def falsely_folded(document: Document, told: Explanation) -> Iterator[str]:
    """Leaves that the loss report calls folded, and whose text no value of the payload holds."""
    values = [" ".join(origin.value.split()) for origin in told.lineage]
    whole = {" ".join(values), "".join(values)}
    texts = {place(document, *leaf)[0]: _text(*leaf) for leaf in leaves(document.root)}
    for loss in told.loss:
        if loss.state == "folded" and not any(texts.get(loss.path, "") in one for one in whole):
            yield loss.path


def _text(element: etree._Element, attribute: str | None) -> str:
    return " ".join((element.get(attribute) if attribute else element.text or "").split())


def lies(before: Explanation, after: Explanation, leaf: str, kind: str, old_paths: dict[str, str]) -> Iterator[str]:
    """What was said of a leaf, and what another value of it, or none, shows to be untrue."""
    loss = next((loss for loss in before.loss if loss.path == leaf), None)
    second = Counter(leaf_key(origin, old_paths) for origin in after.lineage)
    if loss is not None and loss.state in {"carried", "folded"} and kind in {"delete", "unit"}:
        first = Counter(leaf_key(origin, {}) for origin in before.lineage)
        if first == second:
            yield f"{kind} {leaf}: {loss.state} by {loss.row}, and the payload is the same"
    rows = {entry.name: entry for entry in before.document.type.mapping.entries if isinstance(entry, Row)}
    if kind in {"change", "unit"}:
        fed: dict[str, list[Origin]] = {}
        for origin in before.lineage:
            if any(source.path == leaf for source in origin.sources):
                fed.setdefault(origin.row.removesuffix(" (otherwise)"), []).append(origin)
        for row, origins in fed.items():  # a text that is folded over several leaves changes in one of them
            if all(second[leaf_key(origin, {})] for origin in origins) and not translates(rows[row]):
                yield f"{kind} {leaf}: named as a source of {origins[0].target} = {origins[0].value!r}, and fed nothing"


def translates(row: Row) -> bool:
    """Whether two values may become one: by a table, or a transform that leaves something out."""
    return bool(
        row.map or row.unit_map or row.codes or set(row.transforms) - {"decimal", "text", "fold", "integer", "sum"}
    )


def compare(  # noqa: PLR0917
    account: Account, before: Explanation, after: Explanation, touched: set[str], old_paths: dict[str, str], what: str
) -> None:
    first = Counter(leaf_key(origin, {}) for origin in before.lineage)
    second = Counter(leaf_key(origin, old_paths) for origin in after.lineage)
    gone, come = first - second, second - first
    named_gone = [leaf for leaf in gone if leaf[2] & touched]
    vacated = {target for target, _, _ in named_gone}
    freed = {source for _, _, sources in named_gone for source in sources}
    moved_up = {source for target, _, sources in come if target in vacated for source in sources}
    for target, value, sources in gone:
        if not sources & touched and not (sources and sources <= moved_up):
            account.faults.append(f"{what}: {target} = {value!r} went, and does not name it")
    for target, value, sources in come:
        if not sources & touched and target not in vacated and not (sources and sources <= freed):
            account.faults.append(f"{what}: {target} = {value!r} came, and does not name it")
    named = [origin for origin in before.lineage if any(source.path in touched for source in origin.behind)]
    account.changed += sum(1 for origin in named if leaf_key(origin, {}) in gone)
    for origin in named:
        if leaf_key(origin, {}) not in gone:
            account.same[origin.row] += 1


@pytest.fixture(scope="module")
def told(pytestconfig):
    """The accounts of all samples; their sum is told at the end, whatever is captured."""
    accounts: list[Account] = []
    yield accounts
    with pytestconfig.pluginmanager.get_plugin("capturemanager").global_and_fixture_disabled():
        sys.stdout.write("\n" + "\n".join(summed(accounts)) + "\n")


def summed(accounts: list[Account]) -> Iterator[str]:
    """The figures of the proof."""
    same = sum((account.same for account in accounts), Counter[str]())
    elsewhere = sum((account.refused_elsewhere for account in accounts), Counter[str]())
    yield (
        f"{'every leaf' if FULL else 'some leaves'} of {len(accounts)} samples: "
        f"{sum(a.mutations for a in accounts):,} mutations, {sum(a.refused for a in accounts):,} refused, "
        f"{sum(a.changed for a in accounts):,} payload leaves changed as named, "
        f"{same.total():,} the same for both values, {sum(len(a.faults) for a in accounts):,} faults"
    )
    yield f"refused elsewhere than at the leaf: {dict(elsewhere.most_common()) or 'none'}"
    yield from (f"  {number:6,} the same for both: {row}" for row, number in same.most_common(None if FULL else 10))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_nothing_changes_behind_the_back_of_lineage(sample: Path, record_property, told: list[Account]) -> None:
    account = prove(sample)
    told.append(account)
    record_property("mutations", account.mutations)
    record_property("refused", account.refused)
    record_property("changed", account.changed)
    record_property("same_by_row", dict(account.same))
    record_property("refused_elsewhere", dict(account.refused_elsewhere))
    assert account.faults == []
