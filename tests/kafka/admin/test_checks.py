"""The checks of the doctor: each has a name of its own, and needs only what was tried before it."""

from broker.kafka.admin.checks import CHECKS


def test_every_check_comes_after_what_it_needs():
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    for number, check in enumerate(CHECKS):
        assert set(check.needs) <= set(names[:number]), check.name
        assert check.title
