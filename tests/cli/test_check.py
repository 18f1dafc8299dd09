"""``swb check``: the data held against itself, as a person or a script meets it."""

import json

from broker.workbench import check as workbench
from broker.workbench.check import CheckReport
from broker.workbench.fault import DataFault


def test_a_folder_without_data_is_not_called_well(swb, tmp_path):
    code, out, err = swb("check", "--root", tmp_path)
    assert (code, out) == (2, "")
    assert "holds no mappings" in err


def test_all_is_well_or_every_fault_is_a_line(swb, monkeypatch):
    faults = (DataFault("mappings/x.toml", "is wrong", 3, "row X"),)
    for found in ((), faults):
        monkeypatch.setattr(workbench, "check", lambda tell, found=found: CheckReport({"rows": 2}, found))
        code, out, _ = swb("check")
        assert code == bool(found)
        assert out.splitlines()[-1] == ("2 rows: 1 faults" if found else "2 rows: all well")
        assert ("mappings/x.toml:3: row X: is wrong" in out) == bool(found)
        assert json.loads(swb("check", "-o", "json")[1]) == {
            "counts": {"rows": 2}, "faults": [one.as_json() for one in found],
        }  # fmt: skip


def test_a_raise_without_a_lock_is_no_question(swb):
    code, _, err = swb("check", "--raise")
    assert (code, "--raise goes with --lock" in err) == (2, True)
