"""Code lists: editions that do not overlap, translations that lead to codes."""

import pytest

from broker.workbench.check import lists
from tests.support.check_kit import scope_of, told


@pytest.fixture
def written(toy):
    def write(name, editions, kind="list", **csv):
        folder = toy / "mappings/codelists" / name
        folder.mkdir()
        (folder / "list.toml").write_text(f'title = "T"\nagency = "ours"\nkind = "{kind}"\n{editions}')
        for version, text in csv.items():
            (folder / f"{version[1:]}.csv").write_text(text)
        return told(lists.faults(scope_of(toy)))

    return write


ONE = '[[editions]]\nversion = "1"\nsource = "ours"\n'


def test_a_good_list_has_no_fault_and_a_stranger_beside_it_is_told(written):
    assert written("colours", ONE, _1="code,name\nR,red\n") == []
    assert written("shapes", ONE, _1="code,name\nC,circle\n", _2="code,name\n") == ["no edition of list.toml names it"]


def test_a_translation_leads_to_codes(written):
    written("colours", ONE, _1="code,name\nR,red\n")
    found = written("toy-to-colours", ONE, "translation", _1="from,to\nrojo,R\nverde,G\n")
    assert found == ["leads to what is no code of colours: G"]


def test_two_editions_of_the_same_days_are_told(written):
    two = ONE + ONE.replace('"1"', '"2"')
    (fault,) = written("colours", two, _1="code,name\nR,red\n", _2="code,name\nG,green\n")
    assert "hold on the same days" in fault
