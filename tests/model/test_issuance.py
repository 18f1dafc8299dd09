"""Every XPath that a table of states asks, so that a check can hold each against the schema."""

from broker.model.issuance import Issuance, Mark, Period, StateMark


def test_every_expression_is_listed_and_an_open_end_is_none():
    table = Issuance(
        states=(StateMark("s", frozenset({"issued"}), frozenset(), {}, is_required=True),),
        periods=(Period("from", ""), Period("", "to")),
        revoked=(Mark("r", "R", "revoked"),),
        unchecked=(Mark("u", "U", "not looked at"),),
    )
    assert table.expressions() == ("s", "from", "to", "r", "u")
    assert Issuance().expressions() == ()
