"""Never beyond what a certificate grants: any interleaving, any repeat, any rubbish."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from broker.catalogue import data_root
from broker.content.payload_path import NAMESPACES
from broker.model.errors import Refused
from broker.relay.ledger import (
    RESERVED_MS,
    Grant,
    Ledger,
    Line,
    Request,
    apply,
    dump,
    grants,
    load,
    parse_request,
    read_request,
    register,
    unknown,
    withdraw,
)

pytestmark = pytest.mark.proof
NOW = 1_780_000_000_000

DEC = NAMESPACES["d"]
GRANT = Grant(
    "a" * 32, "co-ica", (Line(1, "KGM", Decimal(1000), ("0401",)), Line(2, "KGM", Decimal("0.5"), ("080440",)))
)
LEDGER = Ledger("CHEDP.XX.2026.1", GRANT)


def ask(operation: str, quantity: str, request_id: str = "", **more) -> Request:
    return Request(
        id=request_id or f"{operation}-{quantity}-{sorted(more.items())}",
        window=more.pop("window", "gb-cds"),
        certificate=more.pop("certificate", LEDGER.certificate),
        operation=operation,
        mrn=more.pop("mrn", "26GB1"),
        item=more.pop("item", 1),
        line=more.pop("line", 1),
        code=more.pop("code", "040100"),
        quantity=Decimal(quantity),
        unit=more.pop("unit", "KGM"),
    )


def run(ledger: Ledger, *requests: Request) -> tuple[Ledger, list]:
    results = []
    for request in requests:
        ledger, result = apply(ledger, request, NOW)
        results.append(result)
    return ledger, results


REQUESTS = st.builds(
    Request,
    id=st.sampled_from([f"r{n}" for n in range(12)]),
    window=st.sampled_from(["gb-cds", "pe-vuce"]),
    certificate=st.sampled_from([LEDGER.certificate, LEDGER.certificate, "another"]),
    operation=st.sampled_from(["reserve", "consume", "release"]),
    mrn=st.sampled_from(["M1", "M2"]),
    item=st.integers(1, 2),
    line=st.integers(1, 3),
    code=st.sampled_from(["0401", "040100", "080440", "99", ""]),
    quantity=st.decimals("0.000001", 800, places=6),
    unit=st.sampled_from(["KGM", "KGM", "TNE"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(REQUESTS, max_size=25))
def test_no_sequence_of_requests_gets_more_than_is_granted(requests):
    ledger = LEDGER
    for request in requests:
        ledger, result = apply(ledger, request, NOW)
        assert result.is_done is not bool(result.reason)
        for line in GRANT.lines:
            reserved, consumed = ledger.balances(line.number, line.unit, NOW)
            assert all(q >= 0 for q in (*reserved.values(), *consumed.values()))
            taken = sum(reserved.values(), Decimal(0)) + sum(consumed.values(), Decimal(0))
            assert taken + ledger.available(line.number, line.unit, NOW) == line.quantity
            assert ledger.available(line.number, line.unit, NOW) >= 0


@settings(max_examples=100, deadline=None)
@given(st.lists(REQUESTS, max_size=12, unique_by=lambda r: r.id), st.randoms(use_true_random=False))
def test_a_repeat_anywhere_later_changes_nothing(requests, random):
    once, results = run(LEDGER, *requests)
    repeated = list(requests)
    for request in requests:
        repeated.insert(random.randint(repeated.index(request) + 1, len(repeated)), replace(request, at="later"))
    twice, again = run(LEDGER, *repeated)
    assert twice == once
    firsts = {r.request: r for r in results}
    assert all(r == firsts[r.request] or not (r.is_done or firsts[r.request].is_done) for r in again)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.decimals("0.000001", 700, places=6), min_size=2, max_size=5))
def test_in_whatever_order_windows_come_the_sum_of_what_they_get_is_within_the_grant(quantities):
    requests = [ask("reserve", str(q), f"r{n}", mrn=f"M{n}") for n, q in enumerate(quantities)]
    for order in permutations(requests):
        ledger, results = run(LEDGER, *order)
        given_away = sum((r.quantity for r, x in zip(order, results, strict=True) if x.is_done), Decimal(0))
        assert given_away <= Decimal(1000)
        assert ledger.available(1, "KGM", NOW) == Decimal(1000) - given_away


@settings(max_examples=60, deadline=None)
@given(st.lists(REQUESTS, max_size=8))
def test_a_ledger_survives_json(requests):
    ledger, _ = run(LEDGER, *requests)
    assert load(dump(ledger)) == ledger


def test_the_story_of_the_captures():
    """600 used up by an earlier declaration; 0.001 reserved twice and used up; a wrong code refused."""
    ledger, results = run(
        LEDGER,
        ask("consume", "600", mrn="24GB"),
        ask("reserve", "0.001", "A"),
        ask("reserve", "0.001", "B"),
        ask("consume", "0.002", "C"),
        ask("reserve", "1", "D", code="020130"),
    )
    assert [str(r.available) for r in results] == ["400", "399.999", "399.998", "399.998", "399.998"]
    assert (results[1].reserved, results[3].reserved, results[3].consumed) == (Decimal("0.001"), 0, Decimal("0.002"))
    assert (results[4].is_done, results[4].reason) == (False, "03")
    assert len(ledger.entries) == 4


def test_the_published_captures_say_the_same(reference):
    """The real request fits our request value for value; its answer shows what our ledger says."""
    ns = {"c": "http://ec.europa.eu/sanco/tracesnt/customs_certex/base/v03"}
    home = reference / "samples" / "traces-certex"
    said = etree.parse(home / "02-reserveA.request.xml")
    answer = etree.parse(home / "02-reserveA.response.xml")
    consumed = Decimal(answer.findtext(".//c:ConsumedQuantity//c:Quantity", namespaces=ns))
    free = Decimal(answer.findtext(".//c:AvailableQuantity//c:Quantity", namespaces=ns))
    asked = Decimal(said.findtext(".//c:NetWeightQuantity", namespaces=ns))
    request = Request(
        id=said.findtext(".//c:MessageId", namespaces=ns),
        window="gb-cds",
        certificate=said.findtext(".//{*}ChedCertificateId"),
        operation={"1": "reserve"}[said.findtext(".//{*}QuantityManagementIndication")],
        mrn=said.findtext(".//c:MRN", namespaces=ns),
        item=int(said.findtext(".//c:GoodsItemNumber", namespaces=ns)),
        line=int(said.findtext(".//c:CertificateLineNumber", namespaces=ns)),
        code=said.findtext(".//c:ClassCode", namespaces=ns),
        quantity=asked,
        unit=said.findtext(".//c:NetWeightUnitOfMeasure", namespaces=ns),
        at=said.findtext(".//{*}SendingDate"),
    )
    granted = Grant("a" * 32, "eu-traces", (Line(1, "KGM", consumed + free + asked, ("0401",)),))
    ledger = Ledger(request.certificate, granted)
    earlier = replace(request, id="earlier", operation="consume", quantity=consumed, mrn="earlier")
    ledger, (_, result) = run(ledger, earlier, request)
    assert (result.is_done, result.available, result.reserved) == (True, free, asked)
    wrong = etree.parse(home / "14-wrong-code.response.xml").findtext(".//{*}ReservationFailureReason")
    _, refused = apply(ledger, replace(request, id="wrong", code="020130"), NOW)
    assert refused.reason == wrong


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (ask("reserve", "1000.000001"), "05"),
        (ask("consume", "1001"), "05"),
        (ask("release", "1"), "05"),
        (ask("reserve", "1", code="0402"), "03"),
        (ask("reserve", "1", code=""), "03"),
        (ask("reserve", "1", code="04"), "03"),
        (ask("reserve", "1", line=9), "04"),
        (ask("reserve", "1", unit="TNE"), "04"),
        (ask("reserve", "1", certificate="another"), "04"),
    ],
)
def test_what_is_refused_and_why(request_, reason):
    ledger, result = apply(LEDGER, request_, NOW)
    assert (result.is_done, result.reason) == (False, reason)
    assert result.text
    assert ledger.available(1, "KGM", NOW) == Decimal(1000)


def test_exactly_the_rest_can_be_had():
    _, results = run(
        LEDGER, ask("reserve", "999.999999"), ask("consume", "0.000001", mrn="other"), ask("reserve", "0.000001", "x")
    )
    assert [r.is_done for r in results] == [True, True, False]


def test_a_release_gives_back_only_the_holder_s_own():
    ledger, _ = run(LEDGER, ask("reserve", "10"))
    _, (stranger,) = run(ledger, ask("release", "10", mrn="other"))
    assert stranger.reason == "05"
    ledger, (own,) = run(ledger, ask("release", "10"))
    assert (own.is_done, own.available) == (True, Decimal(1000))


def test_other_content_under_a_known_id_is_refused_and_leaves_the_first_alone():
    ledger, _ = run(LEDGER, ask("reserve", "10", "r1"))
    after, (conflict,) = run(ledger, ask("reserve", "11", "r1"))
    assert (after, conflict.reason) == (ledger, "04")
    _, (again,) = run(after, ask("reserve", "10", "r1"))
    assert (again.is_done, again.reserved) == (True, Decimal(10))


def test_a_refused_request_stays_refused_when_it_comes_again():
    """Its window was told no: a late copy of it must not lock a quantity nobody knows of."""
    ledger, _ = run(LEDGER, ask("reserve", "1000", "all"), ask("reserve", "1", "late"), ask("release", "1000", "back"))
    _, (again,) = run(ledger, ask("reserve", "1", "late"))
    assert (again.is_done, again.reason) == (False, "05")


def test_requests_that_are_refused_take_no_room_and_a_window_has_a_share_of_it(monkeypatch):
    monkeypatch.setattr("broker.relay.ledger.MOST_ENTRIES", 50)
    ledger, _ = run(LEDGER, *(ask("reserve", "5000", f"r{n}") for n in range(300)))
    assert ledger.entries == ()
    assert len(ledger.refused) == 200
    full, results = run(ledger, *(ask("reserve", "1", f"s{n}") for n in range(51)))
    assert [r.is_done for r in results] == [True] * 50 + [False]
    _, (other, repeat) = run(full, ask("reserve", "1", "o", window="pe-vuce"), ask("reserve", "1", "s7"))
    assert other.is_done, "another window still has its share"
    assert repeat.is_done


def test_a_window_that_never_got_the_certificate_can_not_draw_on_it_and_learns_nothing():
    ledger = replace(LEDGER, windows=("gb-cds",))
    after, result = apply(ledger, ask("consume", "1", window="pe-vuce"), NOW)
    assert after == ledger
    assert (result.is_done, result.reason, result.available) == (False, "04", 0)
    assert result == replace(unknown(ask("consume", "1", window="pe-vuce")), request=result.request)
    assert apply(ledger, ask("consume", "1"), NOW)[1].is_done


def test_a_reservation_ends_and_what_was_used_up_does_not_come_back():
    ledger, _ = apply(LEDGER, ask("reserve", "600", "a"), NOW)
    ledger, _ = apply(ledger, ask("consume", "100", "b"), NOW + 1)
    late = NOW + RESERVED_MS + 2
    assert ledger.available(1, "KGM", late - 3) == 400
    assert ledger.available(1, "KGM", late) == 900
    _, stranger = apply(ledger, ask("reserve", "900", "c", mrn="other"), late)
    assert stranger.is_done
    ledger, again = apply(ledger, ask("reserve", "10", "d"), late)
    assert (again.is_done, again.reserved, again.available) == (True, Decimal(10), Decimal(890))
    assert apply(ledger, ask("release", "11", "e"), late)[1].reason == "05", "the ended reservation does not return"


ODD_QUANTITIES = [
    "1e3",
    "1E+3",
    "-1",
    "0",
    "NaN",
    "Infinity",
    '"NaN"',
    '"1e3"',
    '"1_000"',
    '"\u0661\u0660"',
    '" 5 "',
    "1e-7",
    "0.1",
]
ODD_QUANTITIES += ["1e400", "true", '"0x10"', "8199.9999999", '"8199.9999999"', "9999999999.999999", "null", "[]"]


@pytest.mark.parametrize("quantity", ODD_QUANTITIES)
def test_a_quantity_is_digits_and_never_a_number_that_may_have_lost_some(quantity):
    content = dump(ask("reserve", "1")).replace(b'"quantity":"1"', b'"quantity":' + quantity.encode())
    assert quantity.encode() in content
    with pytest.raises(Refused) as refusal:
        parse_request(content)
    assert {f.code for f in refusal.value.findings} == {"writeoff.unreadable"}


@pytest.mark.parametrize(("quantity", "value"), [('"1500.5"', "1500.5"), ("1500", "1500"), ('"0.000001"', "0.000001")])
def test_a_quantity_is_taken_exactly(quantity, value):
    content = dump(ask("reserve", "1")).replace(b'"quantity":"1"', b'"quantity":' + quantity.encode())
    assert parse_request(content).quantity == Decimal(value)


@pytest.mark.parametrize(
    "change", [{"mrn": "M\n1"}, {"id": "\u202eabc"}, {"certificate": "\u009b31m"}, {"code": "\x00"}]
)
def test_a_request_with_control_characters_is_unreadable(change):
    with pytest.raises(Refused):
        parse_request(json.dumps({**json.loads(dump(ask("reserve", "1"))), **change}).encode())


def item(number: int, net: str, units: str = "") -> str:
    quantity = f'<TariffQuantity unitCode="H87">{units}</TariffQuantity>' if units else ""
    return (
        f"<GovernmentAgencyGoodsItem><SequenceNumeric>{number}</SequenceNumeric><Commodity><GoodsMeasure>{quantity}"
        f'<NetNetWeightMeasure unitCode="KGM">{net}</NetNetWeightMeasure></GoodsMeasure></Commodity>'
        "</GovernmentAgencyGoodsItem>"
    )


def test_a_line_grants_in_one_unit():
    items = item(1, "1000", "50") + item(2, "0", "7")
    declaration = etree.fromstring(f'<Declaration xmlns="{DEC}"><GoodsShipment>{items}</GoodsShipment></Declaration>')
    assert [(g.number, g.unit, g.quantity) for g in grants(declaration, "a" * 32, "x").lines] == [
        (1, "KGM", 1000),
        (2, "H87", 7),
    ]


def test_a_certificate_grants_once_and_a_withdrawn_one_nothing_more():
    ledger, stands = register(Ledger("C1"), GRANT)
    assert stands
    same, stands = register(ledger, GRANT, ("gb-cds",))
    assert (same, stands) == (replace(ledger, windows=("gb-cds",)), True)
    ledger = same
    other, stands = register(ledger, replace(GRANT, message="b" * 32, issuer="pe-exporter"))
    assert (other, stands) == (ledger, False)
    more, _ = register(ledger, GRANT, ("pe-vuce",))
    assert more.windows == ("gb-cds", "pe-vuce")
    gone = withdraw(run(LEDGER, ask("reserve", "10"))[0])
    _, results = run(gone, ask("reserve", "1"), ask("consume", "1"), ask("release", "10"))
    assert [r.reason for r in results] == ["04", "04", ""]


def test_an_unknown_certificate_grants_nothing():
    _, result = apply(Ledger(LEDGER.certificate), ask("reserve", "1"), NOW)
    assert (result.reason, result.available) == ("04", 0)


def test_the_grant_of_a_certificate_as_its_payload_carries_it():
    file = data_root() / "mappings/documents/sps/sps-certificate-17/samples/phytosanitary-pe-sg.payload.xml"
    grant = grants(etree.parse(file).getroot().find(f"{{{DEC}}}Declaration"), "a" * 32, "pe-senasa")
    assert grant.lines == (
        Line(1, "KGM", Decimal("20160.000"), ("080440",)),
        Line(2, "KGM", Decimal(8200), ("080610",)),
    )


@pytest.mark.parametrize(
    "change", [("quantity", "-1"), ("quantity", "0"), ("quantity", "0.0000001"), ("item", "0"), ("operation", "take")]
)
def test_a_request_that_is_none(change):
    content = dump(ask("reserve", "1")).decode()
    assert read_request(content.encode()) == ask("reserve", "1")
    name, value = change
    broken = json.dumps({**json.loads(content), name: value})
    with pytest.raises(ValueError, match=name):
        read_request(broken.encode())
