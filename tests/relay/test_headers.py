"""Headers: what a participant wrote under our names is not believed."""

import pytest

from broker.relay import headers


def test_our_names_are_taken_off_what_a_participant_sent():
    given = (("ce_id", b"1"), ("swb_state", b"accepted"), ("own", b"x"))
    assert headers.of_sender(given) == (("ce_id", b"1"), ("own", b"x"))


def test_what_is_empty_is_left_out():
    assert headers.encoded({"a": "é", "b": ""}) == (("a", "é".encode()),)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"),
        ("00-" + "0" * 32 + "-b7ad6b7169203331-01", ""),
        ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", ""),
        ("rubbish", ""),
    ],
)
def test_a_trace_has_an_id_where_its_header_has_the_form(text, found):
    """W3C Trace Context, 3.2: the first is the example that it gives."""
    assert headers.trace_id(text) == found
