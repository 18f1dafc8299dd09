"""The read model: found by everything that tracking lists, the same when built again, and what is open is kept."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import postgresql

from broker.console import overview
from broker.console import tables as t
from broker.console.search import Search, choices, find, moment, statement
from broker.console.store import Store
from broker.model.errors import Misconfigured
from tests.console.kit import BEGAN, SENDERS, TYPES, WINDOWS, at, letter, message, records, story

NOW = datetime(2026, 6, 2, tzinfo=UTC)
NUMBER = 400


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = Store(f"sqlite:///{tmp_path_factory.mktemp('store') / 'read.sqlite'}")
    fill(made, range(NUMBER))
    yield made
    made.close()


def fill(store, numbers, size=100):
    told = list(records(numbers))
    for start in range(0, len(told), size):
        store.tracked(told[start : start + size], "swb.tracking")


def found(store, **filters):
    return {row["message_id"] for row in find(store, Search(**filters), NOW)[0]}


def expected(holds):
    return {message(n) for n in range(NUMBER) if holds(story(n))}


@pytest.mark.parametrize("n", [0, 9, 123])
def test_a_document_is_found_by_each_of_its_names(store, n):
    told = story(n)
    names = [message(n), message(n)[:20], told[0]["sender_id"], told[0]["number"]]
    names += [e["mrn"] for e in told if "mrn" in e]
    for name in names:
        assert found(store, q=name) == {message(n)}, name
    assert message(n) in found(store, q=told[0]["declarant"])
    assert message(n) in found(store, q=f" {message(n).upper()} ".strip())


@pytest.mark.parametrize(
    ("filters", "holds"),
    [
        ({"sender": SENDERS[3]}, lambda s: s[0]["sender"] == SENDERS[3]),
        (
            {"type": TYPES[1], "state": "refused"},
            lambda s: s[0]["document_type"] == TYPES[1] and s[0]["event"] == "refused",
        ),
        ({"code": "rule.XX-007"}, lambda s: any(f["code"] == "rule.XX-007" for e in s for f in e.get("findings", []))),
        ({"window": WINDOWS[5]}, lambda s: any(e.get("window") == WINDOWS[5] for e in s)),
        ({"since": at(300), "until": at(380)}, lambda s: at(300) <= s[0]["at"] <= at(380)),
        (
            {"state": "rejected_by_some"},
            lambda s: sum("verdict" in e for e in s) == 2 and any(e.get("verdict") == "rejected" for e in s),
        ),
        ({"state": "open"}, lambda s: s[0]["event"] == "received" and sum("verdict" in e for e in s) < 2),
    ],
)
def test_filters_find_what_they_say(store, filters, holds):
    wanted = expected(holds)
    seen, address = set(), Search(**filters).address
    while address is not None:
        search = Search.of(dict(part.split("=") for part in address.replace("%3A", ":").replace("%2F", "/").split("&")))
        rows, following = find(store, search, NOW)
        assert len(rows) <= 50
        assert not seen & {row["message_id"] for row in rows}
        seen |= {row["message_id"] for row in rows}
        address = following or None
    assert seen == wanted
    assert wanted


def test_pages_are_in_the_order_of_time_and_leave_nothing_out(store):
    times, before = [], ""
    while True:
        rows, following = find(store, Search(before=before), NOW)
        times += [row["at"] for row in rows]
        if not following:
            break
        before = following.partition("before=")[2]
    assert times == sorted(times, reverse=True)
    assert len(times) == NUMBER


def test_what_is_read_twice_changes_nothing_and_what_is_built_again_is_the_same(tmp_path):
    def everything(store):
        return {
            name: store.rows(table.select().order_by(*table.primary_key)) for name, table in t.metadata.tables.items()
        }

    one, other = (Store(f"sqlite:///{tmp_path / name}") for name in ("one", "other"))
    fill(one, range(60))
    before = everything(one)
    fill(one, range(60))
    assert everything(one) == before
    one.clear()
    assert not any(everything(one).values())
    fill(one, range(60), size=7)
    fill(other, range(60), size=1000)
    assert everything(one) == before == everything(other)
    assert one.positions("swb.tracking") == {n: len([r for r in records(range(60)) if r[0] == n]) for n in range(4)}
    one.close()
    other.close()


def test_what_is_open_is_never_forgotten(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'read'}")
    fill(store, range(200))
    still_open = {row["message_id"] for row in store.rows(t.documents.select().where(t.documents.c.is_open == 1))}
    assert 0 < len(still_open) < 50
    later = int(NOW.timestamp() * 1000) + 10**10
    documents, events = store.forget(later)
    assert documents == 200 - len(still_open)
    assert events > documents
    assert {row["message_id"] for row in store.rows(t.documents.select())} == still_open
    for table in (t.deliveries, t.identifiers, t.findings, t.events):
        assert {row["message_id"] for row in store.rows(table.select())} <= still_open, table
    assert store.forget(later) == (0, 0)
    store.close()


@pytest.mark.parametrize("is_read_first", [True, False])
def test_a_dead_letter_ends_whichever_topic_is_read_first(tmp_path, is_read_first):
    store = Store(f"sqlite:///{tmp_path / 'read'}")
    told = {"event": "operator.closed", "at": at(1), "by": "olga", "why": "known", "deadletter": "0/7"}
    steps = [
        lambda: store.buried([letter(7), letter(8)], "swb.deadletter"),
        lambda: store.tracked([(0, 0, told)], "swb.tracking"),
    ]
    for step in steps if is_read_first else steps[::-1]:
        step()
    rows = {r["position"]: (r["state"], r["by"], r["why"]) for r in store.rows(t.deadletters.select())}
    assert rows == {7: ("closed", "olga", "known"), 8: ("open", "", "")}
    assert [g["n"] for g in overview.letters(store)] == [1]
    store.close()


def test_numbers_add_up(store):
    now = int((BEGAN.timestamp() + 2 * NUMBER) * 1000)
    totals = overview.totals(store, now)
    assert totals["documents"] == NUMBER
    assert totals["refused"] == NUMBER // 10
    assert totals["open"] == len(expected(lambda s: s[0]["event"] == "received" and sum("verdict" in e for e in s) < 2))
    chart = overview.chart(store, now)
    assert sum(map(sum, chart.minutes)) == NUMBER
    assert max(map(sum, chart.minutes)) == chart.highest == 30
    assert chart.marks == ()
    windows = overview.windows(store, now)
    assert sum(w["total"] for w in windows) == 2 * (NUMBER - NUMBER // 10)
    assert all(w["accepted"] + w["rejected"] + w["n"] == w["total"] for w in windows)


def test_every_search_can_be_asked_of_postgresql():
    searches = [
        Search(q="X1", code="c", window="w", since="1h", before="12_ab"),
        Search(sender="a", state="open"),
        Search(),
    ]
    for search in searches:
        text = str(statement(search, NOW).compile(dialect=postgresql.dialect()))
        assert text.startswith("SELECT documents.message_id")
        assert ('deliveries."window" = ' in text) == bool(search.window)
    assert "documents" in str(select(t.documents).compile(dialect=postgresql.dialect()))


def test_a_database_that_cannot_be_had_is_told_without_its_password():
    with pytest.raises(Misconfigured) as error:
        Store("postgresql+nothing://swb:hush-hush@db.invalid/swb")
    assert "hush-hush" not in str(error.value)
    assert "db.invalid" in str(error.value)


@pytest.mark.parametrize(
    ("text", "hours"), [("1h", 1), ("90m", 1.5), ("2d", 48), ("2026-06-01", 24), ("yesterday", None)]
)
def test_times_as_people_write_them(text, hours):
    expected = None if hours is None else int(NOW.timestamp() * 1000 - hours * 3_600_000)
    assert moment(text, NOW) == expected


def test_an_address_holds_the_search():
    search = Search(q="F 1/2", state="open")
    assert search.address == "q=F+1%2F2&state=open"
    assert Search.of({"q": " F 1/2 ", "state": "open", "nonsense": "x"}) == search
    assert search.but(state="") == "q=F+1%2F2"
    assert {"open", "accepted", "refused"} <= set(choices())


def test_a_new_mapping_is_marked_at_the_minute_it_was_seen_first(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'read'}")
    told = [(seconds, "1+aa") for seconds in range(0, 7200, 60)] + [(s, "2+bb") for s in range(5430, 7200, 60)]
    events = [
        {"event": "received", "message_id": message(n), "at": at(seconds), "sender": "x", "document_type": "invoice/t",
         "mapping": f"invoice/t@{version}"}
        for n, (seconds, version) in enumerate(told)
    ]  # fmt: skip
    store.tracked([(0, n, event) for n, event in enumerate(events)], "swb.tracking")
    chart = overview.chart(store, int((BEGAN.timestamp() + 7199) * 1000))
    assert chart.marks == ((30, "invoice/t@2+bb"),)
    store.close()
