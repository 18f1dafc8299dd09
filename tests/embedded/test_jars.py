"""The jars of Apache Kafka: each is the pinned one, or none is taken."""

import hashlib

import pytest

from broker.embedded import jars
from broker.embedded.jars import Unavailable


@pytest.fixture
def pinned(monkeypatch, tmp_path):
    content = {"a.jar": b"a", "b.jar": b"b"}
    file = tmp_path / "pins"
    file.write_text("".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in content.items()))
    monkeypatch.setattr(jars, "_PINS", file)
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_the_pinned_ones_pass(pinned):
    assert list(jars.pins()) == ["a.jar", "b.jar"]
    jars.check(pinned)


@pytest.mark.parametrize("spoil", [lambda f: f.write_bytes(b"x"), lambda f: f.unlink()])
def test_one_that_is_another_or_missing_is_refused_by_name(pinned, spoil):
    spoil(pinned / "b.jar")
    with pytest.raises(Unavailable, match=r"1 of 2 jars in .* \(b\.jar\)"):
        jars.check(pinned)


def test_the_package_pins_every_jar_by_a_sha256():
    assert all(len(digest) == 64 and name.endswith(".jar") for name, digest in jars.pins().items())
    assert any(jars.KAFKA in name for name in jars.pins())
