"""Which reader reads a document: by the root of its standard, never by the name the product gives its type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.independent import cii, cod, dte, json_certificates, sps, ubl
from tests.support.independent.trees import documents, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree

    from tests.support.independent.facts import Facts

READERS: Mapping[str, Callable[[etree._Element], Facts]] = {
    root: family.read for family in (ubl, cii, dte, cod, sps) for root in sorted(family.ROOTS)
}


def read(content: bytes) -> list[Facts]:
    """The facts of every document in a content, in their order; none where it holds none that is known here."""
    found = documents(parse(content), READERS, json_certificates.is_one)
    return [READERS.get(str(root.tag), json_certificates.read)(root) for root in found]
