"""A message id is known in whatever spelling a window echoes it."""

import pytest

from broker.model.ids import message_id_in

ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "text",
    [ID, ID.upper(), f" {ID} ", "01234567-89ab-cdef-0123-456789abcdef", "{01234567-89AB-CDEF-0123-456789ABCDEF}"],
)
def test_a_message_id_in_any_case_and_with_hyphens(text):
    assert message_id_in(text) == ID


@pytest.mark.parametrize("text", ["", "LRN-7", ID[:-1], ID + "0", ID.replace("a", "g")])
def test_any_other_reference_is_none(text):
    assert message_id_in(text) is None
