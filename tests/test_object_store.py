"""The object store: what a setting names, else a private folder in the cache."""

import stat

import obstore

from broker.object_store import object_store


def test_what_is_put_is_found_where_the_setting_says(tmp_path):
    (tmp_path / "own").mkdir()
    obstore.put(object_store(f"file://{tmp_path}/own"), "a/b", b"content")
    assert (tmp_path / "own/a/b").read_bytes() == b"content"


def test_without_a_setting_it_lies_in_the_cache_and_is_nobody_else_s(tmp_path, monkeypatch):
    monkeypatch.setenv("SWB_CACHE", str(tmp_path))
    obstore.put(object_store(""), "a", b"x")
    assert (tmp_path / "claims/a").read_bytes() == b"x"
    assert stat.S_IMODE((tmp_path / "claims").stat().st_mode) == 0o700
