"""The catalogue's windows, and what an outcome says of itself."""

from broker.model.documents import Message, Payload
from broker.model.ids import NO_MESSAGE_ID
from broker.model.outcomes import Catalogue, Outcome
from broker.model.participants import Participant, Routing

MESSAGE = Message(NO_MESSAGE_ID, b"x")


def test_windows_are_the_participants_that_take_documents():
    people = {code: Participant(code, code, kind, "") for code, kind in (("a", "agency"), ("w", "window"))}
    assert [p.code for p in Catalogue({}, (), people, {}, None).windows()] == ["w"]


def test_an_outcome_is_accepted_where_there_is_a_payload_and_names_who_takes_it():
    routings = (Routing("w", "W-1", ""), Routing("v", None, "not its goods"))
    accepted = Outcome(MESSAGE, "toy/one", payload=Payload(b"<p/>", None), routings=routings)
    assert (accepted.is_accepted, accepted.windows) == (True, ("w",))
    refused = Outcome(MESSAGE, None)
    assert (refused.is_accepted, refused.windows) == (False, ())
