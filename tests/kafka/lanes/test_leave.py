"""Why a worker leaves, as its supervisor reads it."""

from broker.kafka.lanes.leave import Leave, Reason
from broker.model.errors import BrokerError


def test_each_reason_has_an_exit_code_of_its_own():
    """0 is asked to stop, 1 a fault of ours, 2 could not start: ``swb worker --help``."""
    assert {reason.name: int(reason) for reason in Reason} == {"FENCED": 3, "BROKEN": 4, "STUCK": 5}
    left = Leave(Reason.FENCED, "another holds lane 3")
    assert (left.reason, str(left), isinstance(left, BrokerError)) == (Reason.FENCED, "another holds lane 3", True)
