"""One search: as it stands in the address, and the times that people write."""

from datetime import UTC, datetime

import pytest

from broker.console.search import Search, moment

NOW = datetime(2026, 1, 2, tzinfo=UTC)
DAY = 86_400_000
MIDNIGHT = int(NOW.timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "at"),
    [("1d", MIDNIGHT - DAY), ("2h", MIDNIGHT - DAY // 12), ("2026-01-01", MIDNIGHT - DAY), ("soon", None), ("", None)],
)
def test_a_time_is_a_while_ago_or_a_date(text, at):
    assert moment(text, NOW) == at


def test_a_search_is_its_address_and_nothing_besides():
    search = Search.of({"q": " A-1 ", "state": "open", "drop": "table"})
    assert (search.address, search.is_empty) == ("q=A-1&state=open", False)
    assert Search.of({"before": "1_m"}).but(sender="aa") == "sender=aa"
    assert Search().is_empty
