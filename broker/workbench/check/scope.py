"""What a check looks at: everything, or what some changed files can have broken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from broker.catalogue import PAYLOAD_SCHEMA
from broker.mapping.compiler.target import read_target
from broker.mapping.language import uses
from broker.mapping.mapping import rows_of
from broker.model.errors import Misconfigured
from broker.registry.digests import with_imports
from broker.workbench.schema_tree import payload_tree
from broker.workbench.versions import bases
from broker.workbench.xpath_names import XPathNames

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from broker.model.documents import DocumentType
    from broker.model.outcomes import Catalogue
    from broker.model.participants import Participant


@dataclass(frozen=True)
class CheckScope:
    """The catalogue of a data folder, and the files that changed in it (None: look at all)."""

    root: Path
    catalogue: Catalogue
    changed: Collection[Path] | None = None

    def files(self, pattern: str) -> list[Path]:
        """The files of a pattern that are looked at."""
        found = sorted(self.root.glob(pattern))
        return found if self.changed is None else [file for file in found if file in self.changed]

    def document_types(self) -> Iterator[DocumentType]:
        """The document types that are looked at."""
        return (t for t in self.catalogue.document_types.values() if self.takes(t))

    def participants(self) -> Iterator[Participant]:
        """The participants that are looked at."""
        for one in self.catalogue.participants.values():
            home = self.root / "mappings" / "participants" / one.code
            if self.changed is None or any(f.is_relative_to(home) or self._is_shared(f) for f in self.changed):
                yield one

    def with_windows(self) -> Catalogue:
        """The catalogue with the participants that are looked at, and no others."""
        return replace(self.catalogue, participants={p.code: p for p in self.participants()})

    def takes(self, document_type: DocumentType) -> bool:
        """Whether a document type is looked at: it, what it extends, its schema or its lists have changed."""
        return self.changed is None or any(self._concerns(file, document_type) for file in self.changed)

    def takes_sample(self, file: Path) -> bool:
        """Whether a sample is looked at: it has changed, or what it is made of, or only its format's data have."""
        if self.changed is None:
            return True
        samples = [changed for changed in self.changed if "samples" in changed.parts]
        if not samples:
            return True
        stems = {changed.name.partition(".")[0] for changed in samples}
        return file.stem in stems or (file.suffix == ".toml" and any(s in file.read_text("utf-8") for s in stems))

    def type_folder(self, name: str) -> Path:
        """Where a document type is described."""
        return self.root / "mappings" / "documents" / name

    @cached_property
    def payload(self) -> XPathNames:
        """Expressions on a payload: its Declaration, names without prefixes."""
        declaration = read_target(self.root / "xsd" / PAYLOAD_SCHEMA, "Declaration")
        return XPathNames(next(iter(payload_tree(declaration).root(""))), bare=True, over="MetaData")

    def _is_shared(self, file: Path) -> bool:
        """Whether a file concerns all windows: rules they share, the payload's schema, numberings, states."""
        shared = ("mappings/rules", "xsd/wco", "mappings/statuses", "mappings/codelists")
        return any(file.is_relative_to(self.root / folder) for folder in shared)

    def _concerns(self, file: Path, document_type: DocumentType) -> bool:
        folders = [self.type_folder(name) for name in self.lineage(document_type.name)]
        if any(file.is_relative_to(folder) for folder in folders) or file.is_relative_to(self.root / "xsd" / "wco"):
            return True
        if file in with_imports(document_type.schema.file):
            return True
        lists = self.root / "mappings" / "codelists"
        return file.parent == lists or (file.is_relative_to(lists) and file.parent.name in _lists(document_type))

    def lineage(self, name: str) -> list[str]:
        """A document type and what it extends, as far as its files can be read."""
        return bases(self.root / "mappings" / "documents", name)


def _lists(document_type: DocumentType) -> Collection[str]:
    try:
        return uses.code_lists(rows_of(document_type).rows)
    except (Misconfigured, AttributeError):
        return ()
