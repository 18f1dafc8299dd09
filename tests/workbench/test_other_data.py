"""Other data to compare with: a folder, a kept catalogue, a revision."""

import subprocess

import pytest

from broker.model.errors import Misconfigured
from broker.workbench.other_data import found


class Archive:
    """One catalogue under its digest."""

    def __init__(self, folder):
        self.folder = folder

    def digests(self):
        return ["abcdef0123456789"]

    def matching(self, name):
        return next(digest for digest in self.digests() if digest.startswith(name))

    def unpacked(self, _digest):
        return self.folder


@pytest.fixture
def data(tmp_path):
    root = tmp_path / "data"
    for name in ("mappings", "xsd"):
        (root / name).mkdir(parents=True)
        (root / name / "a.toml").write_text("x = 1\n")
    return root


def test_a_folder_is_itself_and_a_digest_what_was_kept(data, tmp_path):
    words, folder = found(str(data), data, Archive(None), tmp_path)
    assert (words.startswith(f"{data} ("), folder) == (True, data)
    assert found("abcdef01", data, Archive(data), tmp_path) == ("abcdef012345", data)


def test_a_revision_is_unpacked_as_it_was(data, tmp_path):
    def git(*words):
        given = ["-c", "user.name=T", "-c", "user.email=t@example.test", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", str(data), *given, *words], check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    (data / "mappings/a.toml").write_text("x = 2\n")
    scratch = tmp_path / "scratch"
    _, folder = found("HEAD", data, Archive(None), scratch)
    assert (folder / "mappings/a.toml").read_text() == "x = 1\n"


def test_what_is_none_of_them_is_told(data, tmp_path):
    with pytest.raises(Misconfigured, match="no data folder, no kept catalogue and no revision"):
        found("--upload-pack=x", data, Archive(None), tmp_path)
