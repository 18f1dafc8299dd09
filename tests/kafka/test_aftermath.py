"""What comes after the decision, or in its place, on the real Kafka: dead windows, amendments, write-off."""

import json

import pytest
from confluent_kafka.admin import AdminClient

from broker.kafka.admin import topics as admin
from broker.kafka.reading import write
from broker.relay import headers, topics
from broker.relay.records import Produced
from tests.support.window_kit import MAPPINGS, PARTICIPANTS, STATES, WINDOWS, House, document, sample, sent, verdict

SILENT, SHUT = "kr-unipass", "us-ace"
"""Windows that are dead at first: of one nobody reads the inbox, the other has none."""
CERTIFICATES = MAPPINGS / "documents" / "sps" / "sps-certificate-17" / "samples"


@pytest.fixture(scope="module")
def house(fresh_kafka):
    with pytest.MonkeyPatch.context() as environment, House(fresh_kafka) as house:
        environment.delenv("SWB_WINDOW_FAULTS", raising=False)
        environment.setenv("SWB_RETRY_LIMIT_SECONDS", "3")
        house.windows(*sorted(set(WINDOWS) - {SILENT, SHUT}))
        house.worker()
        house.wait("worker", "lane.opened", 30)
        yield house


def certificate(name, number):
    """A sample certificate under a number of its own; ``original`` is the one that the others replace and withdraw."""
    content = (CERTIFICATES / f"{'withdrawn' if name == 'original' else name}.xml").read_bytes()
    if name == "original":
        content = content.replace(b">40<", b">70<")
    return content.replace(b"2026-PE-000417", number.encode()).replace(b"2026-PE-000431", f"{number}-R".encode())


def accept(house, *documents):
    """Publish documents, and hear until every window they go to has accepted them."""
    house.publish(*documents)
    house.hear(documents, lambda one: one.is_done(STATES))
    for one in documents:
        assert {verdict(s) for s in one.windows.values()} == {"accepted"}, (one.name, one.windows, one.findings)


def payloads(house, window, one):
    """What a window got of a document."""
    return house.records(topics.inbox(window), ce_type="swb.payload", swb_message_id=one.message_id)


# --- amendments -------------------------------------------------------------------------------------------------------


def test_a_replaced_and_withdrawn_certificate_reaches_the_windows_that_got_the_original(house, unique):
    number = unique("2026-PE")
    original = sent("original", certificate("original", number), unique)
    accept(house, original)
    assert set(original.windows) == {"sg-tradenet"}
    goes_elsewhere = certificate("replacement", number).replace(b"<ram:ID>SG</ram:ID>", b"<ram:ID>CL</ram:ID>")
    replacement = sent("replacement", goes_elsewhere, unique)
    house.publish(replacement)
    house.hear(
        [replacement], lambda one: {w for w, s in one.windows.items() if verdict(s)} == {"cl-sicex", "sg-tradenet"}
    )
    assert set(replacement.windows) == {"cl-sicex", "sg-tradenet"}
    (brought,) = payloads(house, "sg-tradenet", replacement)
    assert brought.header(headers.RELATES_TO) == f"replaces 851 {number}"
    (routed,) = payloads(house, "cl-sicex", replacement)
    assert routed.content == brought.content
    withdrawn = sent("withdrawn", certificate("withdrawn", number), unique)
    house.publish(withdrawn)
    (gone,) = house.until(lambda: payloads(house, "sg-tradenet", withdrawn))
    assert b"<FunctionCode>13</FunctionCode>" in gone.content
    assert payloads(house, "cl-sicex", original) == []


def test_a_credit_note_reaches_every_window_that_got_its_invoice(house, unique):
    number = unique("F001")
    invoice = sent("invoice", sample("sg-tradenet", "SG-01").content.replace(b"F001-4711", number.encode()), unique)
    accept(house, invoice)
    assert set(invoice.windows) == {"pe-vuce", "sg-tradenet"}
    file = MAPPINGS / "documents" / "invoice" / "sunat-ubl-2.1-credit-note" / "samples" / "customization-1.0.xml"
    note = sent("credit note", file.read_bytes().replace(b"E001-31", number.encode()), unique)
    house.publish(note)
    (brought,) = house.until(lambda: payloads(house, "sg-tradenet", note))
    assert brought.header(headers.RELATES_TO) == f"corrects 380 {number}"
    assert len(payloads(house, "pe-vuce", note)) == 1
    house.hear([note], lambda one: verdict(one.windows.get("sg-tradenet", "")))
    assert verdict(note.windows["sg-tradenet"]), "the answer to an amendment that was brought comes home too"


# --- write-off --------------------------------------------------------------------------------------------------------


def ask(window, number, request, operation, quantity, *, declaration="1"):
    """A window's request for some of the 8,200 kg of grapes."""
    asked = {
        "id": request, "window": window, "certificate": number, "operation": operation,
        "mrn": f"{window}-{declaration}", "item": 1, "line": 1, "code": "080610", "quantity": quantity, "unit": "KGM",
    }  # fmt: skip
    return Produced(
        topics.outbox(window),
        None,
        json.dumps(asked).encode(),
        headers.encoded({headers.CE_TYPE: headers.WRITEOFF_TYPE}),
    )


def results(house, window, number):
    """What a window was told of its requests, in order: (id of the record, result)."""
    notices = house.records(topics.inbox(window), ce_type="swb.notice", swb_state="writeoff")
    found = [(r.header(headers.CE_ID), json.loads(r.content)) for r in sorted(notices, key=lambda r: r.timestamp)]
    return [(name, result) for name, result in found if result["certificate"] == number]


def test_declarations_never_write_off_more_than_a_certificate_grants_however_often_they_ask(house, unique):
    """Two declarations of the window that got the certificate contend; a window that did not get it has nothing."""
    number = unique("2026-PE")
    accept(house, sent("certificate", certificate("original", number), unique))
    both = [ask("sg-tradenet", number, name, "reserve", "5000", declaration=name) for name in ("A", "B")]
    write(house.settings, [*both, ask("pe-vuce", number, "r1", "reserve", "5000")] * 3)

    def told(request, count, window="sg-tradenet"):
        def found():
            heard = [(name, one) for name, one in results(house, window, number) if one["request"] == request]
            return len(heard) >= count and heard

        return house.until(found)

    first = {name: told(name, 3) for name in ("A", "B")}
    for name, heard in (*first.items(), ("r1", told("r1", 3, "pe-vuce"))):
        assert len({record for record, _ in heard}) == 1, f"{name}: a repeat is told under the same id"
        assert len({result["is_done"] for _, result in heard}) == 1, f"{name}: and says the same"
    stranger = told("r1", 3, "pe-vuce")[0][1]
    assert (stranger["is_done"], stranger["reason"], stranger["available"]) == (False, "04", "0")
    (winner,) = [name for name, heard in first.items() if heard[0][1]["is_done"]]
    (loser,) = set(first) - {winner}
    assert first[loser][0][1]["reason"] == "05"
    write(house.settings, [ask("sg-tradenet", number, "r2", "consume", "5000", declaration=winner)] * 2)
    used = told("r2", 2)[-1][1]
    assert (used["is_done"], used["consumed"], used["available"]) == (True, "5000", "3200")
    write(house.settings, [ask("sg-tradenet", number, "r3", "consume", "3200.000001", declaration=loser)])
    refused = told("r3", 1)[-1][1]
    assert (refused["is_done"], refused["reason"], refused["available"]) == (False, "05", "3200")
    write(house.settings, [ask("sg-tradenet", number, "r4", "consume", "3200", declaration=loser)])
    rest = told("r4", 1)[-1][1]
    assert (rest["is_done"], rest["consumed"], rest["available"]) == (True, "3200", "0")


# --- dead windows -----------------------------------------------------------------------------------------------------


def test_a_dead_window_rejects_nothing_and_decides_when_it_is_back(house, unique):
    unread = document(SILENT, WINDOWS[SILENT].accepts[0].id, unique)
    unsent = document(SHUT, WINDOWS[SHUT].accepts[0].id, unique)
    client = AdminClient({"bootstrap.servers": house.settings.bootstrap, "log_level": 0})
    client.delete_topics([topics.inbox(SHUT)])[topics.inbox(SHUT)].result(20)
    house.publish(unread, unsent)
    house.hear(
        [unread, unsent], lambda one: one.receipt is not None and one.ended == ("failed" if one is unsent else "")
    )
    (letter,) = house.swb("deadletter", "list", "--participant", SHUT, "-o", "json").splitlines()
    assert unsent.ended == "failed"
    unread_at, unsent_at = house.at_window(unread, SILENT), house.at_window(unsent, SHUT)
    assert (bool(unread_at["delivered"]), unread_at["state"], unread_at["decided"]) == (True, None, None)
    assert (unsent_at["delivered"], unsent_at["state"], unsent_at["decided"]) == (None, None, None)
    assert unsent_at["failed"]["reason"]
    assert not any(verdict(one.windows.get(window, "")) for one, window in ((unread, SILENT), (unsent, SHUT)))
    admin.create(house.settings, PARTICIPANTS)
    house.windows(SILENT, SHUT)
    house.swb("deadletter", "redrive", json.loads(letter)["id"], "--yes")
    house.hear([unread], lambda one: verdict(one.windows.get(SILENT, "")))
    house.hear([unsent], lambda one: verdict(one.windows.get(SHUT, "")))
    assert (verdict(unread.windows[SILENT]), verdict(unsent.windows[SHUT])) == ("accepted", "accepted")
    assert house.at_window(unsent, SHUT)["delivered"]
