"""The toy format looked at by one part of the check."""

from broker import catalogue
from broker.workbench.check.scope import CheckScope


def change(root, file, old, new):
    """One change in a file of the data."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def scope_of(root, changed=None):
    """The scope of a data folder, as far as it can be read."""
    return CheckScope(root, catalogue.load(root, heard=lambda _: None), changed)


def told(faults):
    """The sentences of faults."""
    return [fault.sentence for fault in faults]
