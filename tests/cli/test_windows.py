"""``swb windows``: the mock windows by their codes."""

import pytest


@pytest.mark.parametrize("arguments", [("nobody",), ("--faults", '{"nobody": {"twice": 1}}'), ("pe-sunat",)])
def test_a_window_that_there_is_not(swb, arguments):
    code, out, err = swb("windows", *arguments)
    assert (code, out) == (2, "")
    assert "not among the windows asean-sw" in err
