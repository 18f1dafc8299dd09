"""Errors come home, measured: one field of the sender's document that a window's rule looks at is changed; the window's
answer, or the refusal that comes before it, must name exactly that field.

The whole count (every accepting sample, every field, every value) is made with SWB_LONG=1; else a share of it.
"""

import os
from collections import Counter
from datetime import UTC, datetime

import pytest
from lxml import etree

from broker.answers import way_back
from broker.catalogue import load
from broker.content.detect import detect
from broker.content.payload_path import compile_xpath, elements, written
from broker.content.xml import parse, pointers
from broker.line.process import process
from broker.mapping import explain
from broker.model.documents import Message
from broker.model.ids import NO_MESSAGE_ID
from broker.paths import data_root
from broker.windows.decide import windows
from broker.windows.functions import functions
from broker.workbench import preview
from broker.workbench.samples import read_sample

pytestmark = pytest.mark.proof

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
MAPPINGS = data_root() / "mappings"
VALUES = (
    "0",
    "x",
    "Samples",
    "999999999",
    "47",
    "5",
    "XAF",
    "KPW",
    "LBR",
    "2099-01-01",
    "2099-01-01T00:00:00Z",
    "EXW",
    "",
)
EVERY = 1 if os.environ.get("SWB_LONG") else 61
"""Which of the changes are made: each, or every so many."""


def looked_at(window, payload, helpers):
    """Every place of the payload that a rule of the window points at when it objects, with the rule."""
    for rule in window.rules:
        for node in elements(payload.root, compile_xpath(rule.each, helpers)):
            if rule.when and not compile_xpath(f"boolean({rule.when})", helpers)(node, today="20260601"):
                continue
            at, _, attribute = rule.at.partition("@")
            found = elements(node, at.rstrip("/") or ".")
            if found:
                yield rule.id, written(found[0]) + (f"/@{attribute}" if attribute else "")


def changed(content, path, value):
    """The document with one leaf changed (deleted for no value); None when it says that already."""
    root, _ = parse(content)
    name, _, attribute = path.partition("/@")
    element = next(e for e, p in pointers(root).items() if p == name)
    if attribute:
        key = next(k for k in element.attrib if etree.QName(k).localname == attribute.rpartition(":")[2])
        if element.get(key) == value or not value:
            return None
        element.set(key, value)
    elif value:
        if element.text == value:
            return None
        element.text = value
    else:
        element.getparent().remove(element)
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


def changes(catalogue, asked):
    """(window, rule, field, content) for every accepting sample, every field that a rule looks at and every value."""
    number = 0
    helpers = functions(catalogue)
    for code, window in asked.items():
        for file in sorted((MAPPINGS / "participants" / code / "samples").iterdir()):
            if file.stem not in {rule.id for rule in window.participant.accepts}:
                continue
            content = read_sample(file, MAPPINGS).content
            if content.startswith(b"{"):
                continue  # JSON: changed and located in tests of its own formats
            explanation = explain(detect(content, catalogue), NO_MESSAGE_ID)
            payload = process(Message(NO_MESSAGE_ID, content), catalogue).payload
            fields = {}
            for rule, place in looked_at(window.participant, payload, helpers):
                sources = [s for s in explanation.locate(place) if s.value is not None]
                if sources:
                    fields.setdefault(sources[0].path, set()).add(rule)
            for field, rules in fields.items():
                for value in VALUES:
                    number += 1
                    if number % EVERY == 0 and (altered := changed(content, field, value)) is not None:
                        yield code, rules, field, value, altered


def test_an_answer_names_exactly_the_field_that_was_changed():
    catalogue = load()
    asked, home = windows(catalogue), way_back.load(data_root(), catalogue)
    count = Counter()
    elsewhere = []
    for code, rules, field, value, content in changes(catalogue, asked):
        (verdict,) = preview.ask(Message(NO_MESSAGE_ID, content), home, asked, NOW, [code])
        count[verdict.verdict] += 1
        found = [f.pointer for f in verdict.findings if f.rule in rules]
        if verdict.verdict == "rejected" and found:
            count["exact"] += field in found
            if field not in found:
                elsewhere.append((field, value, found))
    print(dict(count), "elsewhere:", *elsewhere, sep="\n")  # noqa: T201 - the figures, with -s
    assert count["rejected"] > 10
    assert elsewhere == []
