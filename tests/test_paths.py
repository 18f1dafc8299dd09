"""Where data lies and where a machine keeps what it fetched."""

import pytest

from broker import paths
from broker.model.errors import Misconfigured


def test_a_data_folder_is_one_that_holds_both(tmp_path, monkeypatch):
    (tmp_path / "mappings").mkdir()
    monkeypatch.setenv("SWB_ROOT", str(tmp_path))
    with pytest.raises(Misconfigured, match="holds no xsd, so it is no data folder"):
        paths.data_root()
    (tmp_path / "xsd").mkdir()
    assert paths.data_root() == tmp_path


def test_the_product_s_own_data_is_found_without_a_word(monkeypatch):
    monkeypatch.delenv("SWB_ROOT", raising=False)
    assert (paths.data_root() / "mappings" / "documents").is_dir()


def test_the_cache_is_where_one_says_else_the_user_s(tmp_path, monkeypatch):
    monkeypatch.setenv("SWB_CACHE", str(tmp_path / "a"))
    assert paths.cache() == tmp_path / "a"
    monkeypatch.delenv("SWB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert paths.cache() == tmp_path / "b" / "swb"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths.cache() == tmp_path / ".cache" / "swb"
