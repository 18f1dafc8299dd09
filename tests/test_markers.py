"""How a lane's last transaction ended, as far as Kafka's word and the epoch tell."""

import pytest

from broker.kafka.markers import was_last_committed
from broker.kafka.transactions import Identity, Told


@pytest.mark.parametrize(
    ("state", "epoch", "committed"),
    [
        ("CompleteCommit", 5, True), ("PrepareCommit", 5, True), ("Ongoing", 5, True),  # it ended before the fencing
        ("CompleteCommit", 6, False), ("Ongoing", 6, False),  # something was aborted for it
        ("CompleteAbort", 5, False), ("PrepareAbort", 5, False),
        ("Empty", 5, None),
    ],
)  # fmt: skip
def test_how_the_last_transaction_ended(state, epoch, committed):
    assert was_last_committed(Told(state, 7, 4), Identity("swb-relay.0", 7, epoch)) is committed
    assert was_last_committed(Told(state, 8, 4), Identity("swb-relay.0", 7, epoch)) is None
