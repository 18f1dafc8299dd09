"""Every accepted document held against its payload by readers that know the standards and none of the mappings.

A disagreement is a value of the payload that the document does not have there, or a value of the document that the
payload lacks and neither a finding nor the loss report names. What is known is listed by document type, fact and
direction, and says why; the list is strict both ways: what is not on it fails, and what no longer occurs must leave it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from broker import load_catalogue
from tests.support.independent import corpus
from tests.support.independent.compare import Disagreement
from tests.support.independent.corpus import Checked
from tests.support.paths import MAPPINGS

pytestmark = pytest.mark.proof

Kind = tuple[str, str, str]
"""Document type, fact, ``wrong`` or ``lost``."""

ADVANCES = "the total of a sale in Peru is what is to be paid with what was paid before (SUNAT); no one amount says it"
UNREAD = "packages of a line stand in its handling units, which the independent reader does not look into"
PLATE = "the plate of a vehicle (SUNAT 2566) stands as a container"

KNOWN_OF_SAMPLES: Mapping[Kind, str] = {
    ("invoice/sunat-ubl-2.1", "total", "wrong"): ADVANCES,
    ("invoice/sunat-ubl-2.1-credit-note", "total", "wrong"): ADVANCES,
    ("transport/ubl-2.1-despatch-advice", "line.packages", "wrong"): UNREAD,
    ("transport/sunat-ubl-2.1-despatch-advice", "line.packages", "wrong"): UNREAD,
    ("transport/sunat-ubl-2.1-despatch-advice", "equipment", "wrong"): PLATE,
    ("transport/sunat-ubl-2.1-despatch-advice", "means", "lost"): PLATE,
}
KNOWN_OF_PUBLISHED: Mapping[Kind, str] = {
    ("invoice/sunat-ubl-2.1", "total", "wrong"): ADVANCES,
    ("transport/ubl-2.1-despatch-advice", "line.packages", "wrong"): UNREAD,
    ("transport/sunat-ubl-2.1-despatch-advice", "equipment", "wrong"): PLATE,
    ("transport/sunat-ubl-2.1-despatch-advice", "means", "lost"): PLATE,
}

ONE_INVOICE = "the payload holds the date of one invoice; that of the invoice before has no place"
ONE_MEANS = "the payload holds one means of transport at the border; the second main carriage is dropped"
ONE_PARTY = "one name, number and country of a party has a place here"
NO_PARTY_ADDRESS = "this party's address is dropped"
ENDORSER = "the endorser stands as the issuing body; the issuer that the application names is dropped"
NO_CARRIER = "the carrier of the consignment is dropped"

DROPPED_OF_SAMPLES: Mapping[tuple[str, str], str] = {
    ("invoice/sunat-ubl-2.1", "invoiced"): ONE_INVOICE,
    ("invoice/ubl-2.1", "invoiced"): ONE_INVOICE,
    ("origin/ubl-2.1-certificate-of-origin", "issuer.name"): ENDORSER,
    ("origin/uncefact-preferential-d22b", "means"): ONE_MEANS,
    ("origin/uncefact-preferential-d22b", "mode"): ONE_MEANS,
    ("sps/intercom-import-permit-1", "carrier.country"): NO_PARTY_ADDRESS,
    ("sps/intercom-import-permit-1", "issuer.country"): NO_PARTY_ADDRESS,
    ("sps/sps-certificate-17", "carrier.country"): NO_PARTY_ADDRESS,
    ("sps/sps-certificate-17", "issuer.country"): NO_PARTY_ADDRESS,
}
DROPPED_OF_PUBLISHED: Mapping[tuple[str, str], str] = {
    ("invoice/ubl-2.1", "invoiced"): ONE_INVOICE,
    ("transport/ubl-2.1-despatch-advice", "buyer.country"): NO_PARTY_ADDRESS,
    ("transport/ubl-2.1-despatch-advice", "buyer.id"): ONE_PARTY,
    ("transport/ubl-2.1-despatch-advice", "carrier.country"): NO_CARRIER,
    ("transport/ubl-2.1-despatch-advice", "carrier.id"): NO_CARRIER,
    ("transport/ubl-2.1-despatch-advice", "consignee.country"): ONE_PARTY,
    ("transport/ubl-2.1-despatch-advice", "consignee.name"): ONE_PARTY,
    ("transport/ubl-2.1-despatch-advice", "consignor.country"): ONE_PARTY,
    ("transport/ubl-2.1-despatch-advice", "consignor.name"): ONE_PARTY,
    ("transport/ubl-2.1-despatch-advice", "seller.country"): NO_PARTY_ADDRESS,
    ("transport/ubl-2.1-despatch-advice", "seller.id"): ONE_PARTY,
}


@pytest.fixture(scope="module")
def samples() -> list[Checked]:
    return checked(corpus.samples(MAPPINGS))


@pytest.fixture(scope="module")
def published(reference: Path) -> list[Checked]:
    return checked(corpus.published(reference))


def checked(contents: Iterable[tuple[str, bytes]]) -> list[Checked]:
    """Every accepted document of a corpus."""
    catalogue = load_catalogue()
    return [one for name, content in contents for one in corpus.check(name, content, catalogue)]


def kinds(documents: list[Checked]) -> dict[Kind, list[str]]:
    """The disagreements by kind, each with where it was seen."""
    seen: dict[Kind, list[str]] = defaultdict(list)
    for document in documents:
        for one in document.account.disagreements:
            seen[document.document_type, one.fact, one.kind].append(f"{document.name}: {one}")
    return dict(seen)


def dropped(documents: list[Checked]) -> dict[tuple[str, str], list[Disagreement]]:
    """The facts that payloads lack and loss reports name."""
    seen: dict[tuple[str, str], list[Disagreement]] = defaultdict(list)
    for document in documents:
        for one in document.account.dropped:
            seen[document.document_type, one.fact].append(one)
    return dict(seen)


def state(documents: list[Checked], record_property) -> None:
    """The counts, in the report of the run."""
    record_property("documents", len(documents))
    record_property("by_type", dict(Counter(document.document_type for document in documents)))
    record_property("values_compared", sum(document.account.compared for document in documents))
    record_property("disagreements", sum(len(document.account.disagreements) for document in documents))
    record_property("dropped_and_told", sum(len(document.account.dropped) for document in documents))
    record_property("told_by_findings", sum(document.account.told for document in documents))


def hold(seen: Mapping, known: Mapping) -> None:
    """What was seen is what is known."""
    unknown = [
        f"not known: {kind}: {place}" for kind, places in seen.items() if kind not in known for place in places[:3]
    ]
    gone = [f"no longer seen, take it off the list: {kind}: {why}" for kind, why in known.items() if kind not in seen]
    assert not [*unknown, *gone], "\n".join([*unknown, *gone])


def test_every_document_type_is_checked(samples) -> None:
    """A family whose documents nobody reads would agree with everything."""
    assert {document.document_type for document in samples} == set(load_catalogue().document_types)


def test_the_payloads_of_all_samples_say_what_the_documents_say(samples, record_property) -> None:
    state(samples, record_property)
    assert len(samples) >= 300
    assert sum(document.account.compared for document in samples) >= 14000
    hold(kinds(samples), KNOWN_OF_SAMPLES)


def test_the_payloads_of_published_documents_say_what_the_documents_say(published, record_property) -> None:
    state(published, record_property)
    assert len(published) >= 250
    assert sum(document.account.compared for document in published) >= 11000
    hold(kinds(published), KNOWN_OF_PUBLISHED)


def test_what_samples_lose_of_these_facts_is_told_and_known(samples) -> None:
    hold(dropped(samples), DROPPED_OF_SAMPLES)


def test_what_published_documents_lose_of_these_facts_is_told_and_known(published) -> None:
    hold(dropped(published), DROPPED_OF_PUBLISHED)
