"""The state of one translation: what is read, what does not fit, what nobody took."""

from lxml import etree

from broker.mapping.runtime.run import Run, escape, escape_attribute
from broker.mapping.runtime.transforms import Unfit

ROOT = etree.fromstring("<a k=' x  y '><b> 1\n2 </b><c>NULL</c><d/></a>")
B, C, D = ROOT


def same(text, _on):
    return text


def unfit(text, _on):
    raise Unfit("value.wrong", f"{text} is wrong")


def test_white_space_is_collapsed_and_a_marker_of_absence_is_nothing():
    run = Run(frozenset({"NULL"}))
    assert [run.look(e, a) for e, a in ((B, None), (ROOT, "k"), (C, None), (D, None), (None, None))] == [
        "1 2", "x y", "", "", "",
    ]  # fmt: skip
    assert run.below(ROOT, ("b",), "") == "1 2"
    assert run.below(ROOT, ("b", "x"), "") == ""


def test_a_value_that_does_not_fit_is_an_issue_with_its_row():
    run = Run(frozenset())
    assert run.value(same, B, None, 7) == "1 2"
    assert run.value(unfit, B, None, 7) == ""
    assert [(i.code, i.element, i.row, i.value) for i in run.issues] == [("value.wrong", B, 7, "1 2")]


def test_what_was_claimed_and_not_used_is_nobodys():
    run = Run(frozenset())
    run.claimed += [B, C]
    run.left.append((ROOT, "k"))
    run.value(same, B, None, 1)
    assert run.unused() == [(ROOT, "k"), (C, None)]


def test_text_stays_text():
    assert escape('a<b>&"c') == 'a&lt;b&gt;&amp;"c'
    assert escape_attribute('"<"') == "&quot;&lt;&quot;"
