"""Times and words as people read them."""

import time

from broker.console.render import _ENVIRONMENT


def test_times_are_in_utc_and_what_is_none_is_a_dash():
    filters = _ENVIRONMENT.filters
    assert filters["time"](86_400_000) == filters["time"]("1970-01-02T01:00:00+01:00") == "1970-01-02 00:00:00"
    assert (filters["time"](None), filters["ago"](None), filters["clock"](3_600_000)) == ("\u2013", "\u2013", "01:00")
    assert filters["ago"]((time.time() - 7_300) * 1000) == "2 h"
    assert filters["words"]("not_routed.at-once") == "not routed at once"
