"""What a condition reads: every comparison in it, and every path of a comparison."""

from broker.model.conditions import Condition, Path, Step
from broker.model.conditions import Test as Comparison

A, B = (Path(name, (Step((name,)),)) for name in "ab")


def test_a_comparison_of_two_paths_reads_both():
    assert Comparison(A, "=", "x").paths() == (A,)
    assert Comparison(A, "=", other=B).paths() == (A, B)


def test_every_comparison_of_a_condition_is_found_however_deep():
    first, second = Comparison(A, "exists"), Comparison(B, "=", "x")
    inner = Condition("not", (Condition("test", test=second),))
    assert list(Condition("or", (Condition("test", test=first), inner)).tests()) == [first, second]
