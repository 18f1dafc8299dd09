"""Catalogues kept by digest, so that an answer finds the mapping that made its document's payload, whatever came since.

A worker keeps its catalogue when it starts, before it takes a document: its files as one archive under
``catalogues/<digest>``, and under ``mappings/<digest>`` which catalogue holds a mapping. What was kept is never written
again. Read back, an archive is held against its digest, unpacked into the cache and loaded.
"""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import obstore

from broker import catalogue as catalogues
from broker.model.errors import Failed, Misconfigured
from broker.object_store import object_store
from broker.paths import cache

if TYPE_CHECKING:
    from broker.model.outcomes import Catalogue

CATALOGUES, MAPPINGS = "catalogues", "mappings"
_DIGEST = 64
"""Hexadecimal digits of a digest."""
_MAX_BYTES = 256 * 1024 * 1024
"""Of an unpacked archive: more is no catalogue of ours."""


class Archive:
    """The kept catalogues of an installation."""

    def __init__(self, url: str = "", folder: Path | None = None) -> None:
        self._store: Any = object_store(url)
        self._folder = folder or cache() / CATALOGUES
        self._loaded: dict[str, Catalogue] = {}
        self._gone: set[str] = set()

    def keep(self, root: Path, catalogue: Catalogue) -> str:
        """Keep the catalogue of a folder; its digest. Raises Failed when the store does not take it."""
        digest = catalogues.catalogue_digest(root)
        try:
            self._put(f"{CATALOGUES}/{digest}", lambda: packed(root))
            for document_type in catalogue.document_types.values():
                self._put(f"{MAPPINGS}/{document_type.mapping.sha256}", digest.encode)
        except obstore.exceptions.BaseError as error:
            raise Failed(f"the object store keeps no catalogue: {_first_line(error)}") from error
        return digest

    def holding(self, mapping: str) -> Catalogue | None:
        """The catalogue in which a mapping, ``id@version+sha256``, was kept; None where nobody kept it."""
        digest = mapping.rpartition("+")[2]
        if digest in self._gone or len(digest) != _DIGEST:
            return None
        kept = self._get(f"{MAPPINGS}/{digest}")
        if kept is None:
            self._gone.add(digest)
            return None
        return self.load(kept.decode())

    def load(self, digest: str) -> Catalogue | None:
        """A kept catalogue by its whole digest; None where there is none."""
        if digest not in self._loaded:
            folder = self.unpacked(digest)
            if folder is None:
                return None
            self._loaded[digest] = catalogues.load(folder)
        return self._loaded[digest]

    def unpacked(self, digest: str) -> Path | None:
        """The folder with the files of a kept catalogue; raises Failed where they are not what was kept."""
        folder = self._folder / digest
        if folder.is_dir():
            return folder
        content = self._get(f"{CATALOGUES}/{digest}")
        if content is None:
            return None
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as made:
            unpack(content, Path(made) / digest)
            if catalogues.catalogue_digest(Path(made) / digest) != digest:
                raise Failed(f"the kept catalogue {digest} is not what was put there")
            try:
                (Path(made) / digest).rename(folder)
            except OSError:
                if not folder.is_dir():  # another process has unpacked it meanwhile
                    raise
        return folder

    def digests(self) -> list[str]:
        """Every catalogue that is kept, by digest."""
        found = obstore.list(self._store, prefix=CATALOGUES)
        return sorted(str(one["path"]).rpartition("/")[2] for chunk in found for one in chunk)

    def matching(self, start: str) -> str:
        """The whole digest that begins like this, of a catalogue or a mapping in it; raises Misconfigured."""
        found = [digest for digest in self.digests() if digest.startswith(start)]
        if len(found) != 1:
            many = f"{len(found)} catalogues begin" if found else "no catalogue begins"
            raise Misconfigured(f"{many} with {start}; kept are {', '.join(d[:12] for d in self.digests()) or 'none'}")
        return found[0]

    def _put(self, name: str, content: Any) -> None:  # noqa: ANN401 - what makes it
        try:
            obstore.put(self._store, name, content(), mode="create")
        except obstore.exceptions.AlreadyExistsError:
            return

    def _get(self, name: str) -> bytes | None:
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except (obstore.exceptions.NotFoundError, FileNotFoundError):
            return None
        except obstore.exceptions.BaseError as error:
            raise Failed(f"the object store gives no {name}: {_first_line(error)}") from error


def packed(root: Path) -> bytes:
    """All files of a catalogue as one archive; the same files give the same bytes."""
    made = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=made, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in catalogues.data_files(root):
            entry = tarfile.TarInfo(file.relative_to(root).as_posix())
            entry.size = file.stat().st_size
            archive.addfile(entry, io.BytesIO(file.read_bytes()))
    return made.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Write the files of an archive below a folder; raises Failed for one that is no catalogue."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            left = _MAX_BYTES
            for entry in archive:
                left -= entry.size
                source = archive.extractfile(entry)
                place = (folder / entry.name).resolve()
                if source is None or left < 0 or not place.is_relative_to(folder.resolve()):
                    raise Failed(f"a kept catalogue holds {entry.name}, which is no file of a catalogue")
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("wb") as file:
                    shutil.copyfileobj(source, file)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Failed(f"a kept catalogue cannot be unpacked: {error}") from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
