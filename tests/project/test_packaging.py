"""What is shipped: the data with the code, and locks that name packages and nothing else."""

import re
import zipfile

import pytest
from hatchling.builders.wheel import WheelBuilder

from tests.support.paths import ROOT

pytestmark = pytest.mark.proof

LOCKS = sorted(ROOT.glob("requirements*.lock"))
PIN = re.compile(r"[a-z0-9-]+==[\w.+]+(?: ; [\w .'!=<>()]+)? \\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    [file] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"])
    with zipfile.ZipFile(file) as content:
        return set(content.namelist())


@pytest.mark.parametrize("folder", ["mappings", "xsd"])
def test_the_data_are_in_the_wheel(wheel, folder):
    here = {
        f"broker/_data/{file.relative_to(ROOT)}"
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and not file.name.startswith(".")
    }
    assert {name for name in wheel if name.startswith(f"broker/_data/{folder}/")} == here


def test_nothing_else_is_in_the_wheel(wheel):
    strangers = {name for name in wheel if not re.match(r"broker/|single_window_broker-[\d.]+\.dist-info/", name)}
    assert strangers == set()
    assert {"broker/py.typed", "broker/embedded/jars.sha256"} <= wheel
    assert not [name for name in wheel if name.startswith("broker/") and "/." in name]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_names_versions_and_hashes(lock):
    text = lock.read_text(encoding="ascii")
    assert PIN.sub("", text) == ""


def test_no_package_is_locked_twice():
    names = [name for lock in LOCKS for name in re.findall(r"^[a-z0-9-]+(?===)", lock.read_text(), re.MULTILINE)]
    assert len(LOCKS) == 3
    assert len(names) == len(set(names)) > 60
