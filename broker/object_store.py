"""The object store of an installation: large contents and kept catalogues lie in it (``SWB_CLAIMS``)."""

from __future__ import annotations

from typing import Any

import obstore

from broker.paths import cache


def object_store(url: str) -> Any:  # noqa: ANN401 - obstore has a class for each kind of store
    """The store that a setting names, ``file:///var/lib/swb`` or ``s3://bucket/folder``; without one, in the cache."""
    if url:
        return obstore.store.from_url(url)
    folder = cache() / "claims"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return obstore.store.LocalStore(str(folder))
