"""Only what is issued and in force is lodged: one table a type, from the standards that its head names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from broker import catalogue as catalogues
from broker.line.process import process
from broker.model.documents import Message
from broker.model.errors import Misconfigured
from broker.model.ids import NO_MESSAGE_ID
from broker.registry.codelists import load_code_lists
from broker.registry.issuance import issuance_of
from broker.relay.ledger import granting_families
from broker.toml_table import Table
from tests.support.paths import ROOT

pytestmark = pytest.mark.proof

DOCUMENTS = ROOT / "mappings" / "documents"
SPS = (DOCUMENTS / "sps/sps-certificate-17/samples/phytosanitary-pe-sg.xml").read_text()
UBL = (DOCUMENTS / "origin/ubl-2.1-certificate-of-origin/samples/everything.xml").read_text()
BLANKET = (DOCUMENTS / "origin/aladi-cod-4.1/samples/a60-complete.xml").read_text()
STATUS_4405 = load_code_lists(ROOT / "mappings" / "codelists")["uncl-4405"].editions[-1].codes


@pytest.fixture(scope="module")
def catalogue():
    return catalogues.load()


def judged(text: str, catalogue, received: datetime | None = None):
    return process(Message(NO_MESSAGE_ID, text.encode(), received=received), catalogue)


def codes(outcome) -> list[str]:
    return sorted({f.code for f in outcome.findings if f.is_error})


def test_of_all_states_of_un_4405_two_are_originals_and_two_end_what_was_lodged(catalogue):
    """Issued (70) or approved (39); withdrawn (40) or replaced (44); no other code of the list is lodged."""
    taken = {}
    for code in (*STATUS_4405, "NZ", "issued"):
        outcome = judged(SPS.replace("StatusCode>70<", f"StatusCode>{code}<"), catalogue)
        if outcome.is_accepted:
            taken[code] = outcome.payload.root.findtext("{*}FunctionCode")
        else:
            assert {f.code for f in outcome.findings if f.pointer.endswith("StatusCode")} & {
                "state.not-issued", "state.unknown", "schema.value"
            }, code  # fmt: skip
    assert taken == {"39": "9", "70": "9", "40": "13", "44": "13"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("ApplicationStatusCode>39<", "ApplicationStatusCode>41<", "state.not-issued"),
        ("ApplicationStatusCode>39<", "ApplicationStatusCode>47<", "state.not-issued"),
        ("ApplicationStatusCode>39<", "ApplicationStatusCode>99<", "state.unknown"),
        ("ApprovalStatus>APPROVED<", "ApprovalStatus>REJECTED<", "state.not-issued"),
        ("ApprovalStatus>APPROVED<", "ApprovalStatus>Perhaps<", "state.unknown"),
        ("ApprovalStatus>SEEN<", "ApprovalStatus>Rejected<", "state.not-issued"),
    ],
)
def test_a_certificate_of_origin_is_approved_by_all_who_endorse_it(old, new, code, catalogue):
    assert old in UBL
    assert codes(judged(UBL.replace(old, new), catalogue)) == [code]


@pytest.mark.parametrize(
    ("received", "code"),
    [
        (datetime(2025, 1, 14, 9, 59, tzinfo=UTC), ["state.not-yet-valid"]),
        (datetime(2025, 1, 14, 10, tzinfo=UTC), []),
        (datetime(2025, 7, 1, tzinfo=UTC), []),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), []),
        (datetime(2026, 1, 1, 12, 1, tzinfo=UTC), ["state.expired"]),
        (None, []),
    ],
)
def test_a_blanket_certificate_holds_in_its_period(received, code, catalogue):
    """ALADI COD: CertificateInitialDate to CertificateFinalDate, days without zone, wherever they are meant."""
    assert "CertificateInitialDate>2025-01-15T00:00:00<" in BLANKET
    assert "CertificateFinalDate>2025-12-31T00:00:00<" in BLANKET
    assert codes(judged(BLANKET, catalogue, received)) == code


def test_each_type_that_grants_has_a_table(catalogue):
    granting = granting_families(ROOT / "mappings" / "writeoff.toml")
    types = [t for t in catalogue.document_types.values() if t.family in granting]
    assert {t.family for t in types} == granting
    assert not [t.name for t in types if t.issuance is None]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"states": [{"at": "a"}]}, "issued is missing"),
        ({"states": [{"at": "a", "issued": ["70"], "ended": ["70"]}]}, "70 cannot mean two things"),
        ({"states": [{"at": "a", "issued": ["X"], "refused": {"x": "no"}}]}, "x cannot mean two things"),
        ({"periods": [{"why": "none"}]}, "give begins, until or both"),
        ({"unchecked": [{"at": "a", "message": "m"}]}, "code is missing"),
    ],
)
def test_a_table_that_cannot_be_meant_is_told(data, says):
    with pytest.raises(Misconfigured, match=says):
        issuance_of(Table(data, "x/issuance.toml"))
