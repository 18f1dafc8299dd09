"""A mapping that somebody brings as XSLT 1.0 instead of rows: it translates, and cannot explain itself.

The stylesheet gets the parameter ``message-id``, must write MetaData with its Declaration, and looks codes up in
``mappings/codelists`` with ``swb:translate('table', value)`` and ``swb:listed('list', value)`` (``urn:swb:codes``).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from lxml import etree

from broker.mapping.runtime.run import Run
from broker.model.errors import Misconfigured, Refused
from broker.model.findings import Finding
from broker.registry.digests import digest, of_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from broker.mapping.language.rows import Group, Row
    from broker.model.documents import Document
    from broker.registry.codelists import CodeList

CODES = "urn:swb:codes"
_NOTHING_OUTSIDE = etree.XSLTAccessControl(  # type: ignore[call-arg]
    read_file=False, write_file=False, create_dir=False, read_network=False, write_network=False
)


class XsltMapping:
    """A stylesheet, compiled on first use; it reads and writes nothing outside the document."""

    has_lineage = False
    entries: tuple[Row | Group, ...] = ()
    mandatory: frozenset[int] = frozenset()

    def __init__(
        self, name: str, file: Path, code_lists: Mapping[str, CodeList], beside: Callable[[], str] = lambda: ""
    ) -> None:
        self._beside = beside
        """The digest of what makes a payload besides the stylesheet."""
        self.name = name
        self.file = file
        self.code_lists = code_lists

    @cached_property
    def sha256(self) -> str:
        """The digest of all that makes a payload: the stylesheet, and every list, schema and rule beside it."""
        return digest({"stylesheet": of_bytes(self.file.read_bytes()), "beside": self._beside()})

    @cached_property
    def version(self) -> str:
        """What the stylesheet says of itself: the attribute ``swb:version`` of its root."""
        return self._root.get(f"{{{CODES}}}version", "1")

    @property
    def id(self) -> str:
        """``name@version+sha256``."""
        return f"{self.name}@{self.version}+{self.sha256}"

    @cached_property
    def _root(self) -> etree._Element:
        try:
            return etree.parse(self.file).getroot()
        except (OSError, etree.XMLSyntaxError) as error:
            raise Misconfigured(f"{self.file}: {error}") from None

    @cached_property
    def _transform(self) -> etree.XSLT:
        extensions = {(CODES, "translate"): self._translate, (CODES, "listed"): self._listed}
        try:
            return etree.XSLT(self._root, extensions=extensions, access_control=_NOTHING_OUTSIDE)
        except etree.XSLTParseError as error:
            raise Misconfigured(f"{self.file}: {error}") from None

    @staticmethod
    def limits(_document: Document) -> tuple[Finding, ...]:
        """What a stylesheet makes too many of, nobody knows beforehand."""
        return ()

    def warm(self) -> None:
        """Compile now what would be compiled at the first document; raises Misconfigured."""
        _ = self._transform

    def run(self, root: etree._Element, message_id: str, *, traced: bool = False) -> tuple[str, Run]:  # noqa: ARG002
        """The payload's text; raises Refused where the stylesheet stops."""
        try:
            result = self._transform(root, **{"message-id": etree.XSLT.strparam(message_id)})  # type: ignore[arg-type]
        except etree.XSLTApplyError as error:
            raise Refused([Finding("mapping.stopped", f"The stylesheet stopped: {error}")]) from None
        if result.getroot() is None:
            raise Refused([Finding("mapping.stopped", "The stylesheet wrote no payload.")])
        return etree.tostring(result.getroot(), encoding="unicode"), Run(frozenset())

    def _list(self, name: str) -> CodeList:
        if name not in self.code_lists:
            raise Misconfigured(f"{self.file}: there is no code list {name!r} in mappings/codelists")
        return self.code_lists[name]

    def _translate(self, _context: object, table: str, value: object) -> str:
        return self._list(table).edition(None).translate(_text(value)) or ""

    def _listed(self, _context: object, name: str, value: object) -> bool:
        return self._list(name).reason_against(_text(value), None) is None


def _text(value: object) -> str:
    """An XPath argument as text: a node set means its first node."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return " ".join(((value.text or "") if isinstance(value, etree._Element) else str(value)).split())  # noqa: SLF001
