"""A copy that may be altered, while each of its nodes still knows its original."""

from lxml import etree

from broker.validate.working_copy import WorkingCopy


def copied(text="<a k=' 1 '><b> x </b><c/></a>"):
    root = etree.fromstring(text)
    return root, WorkingCopy(root)


def written(copy):
    return etree.tostring(copy.root).decode()


def test_a_text_and_an_attribute_are_trimmed_in_the_copy_alone():
    root, copy = copied()
    copy.trim(root, "k")
    copy.trim(root[0], None)
    assert written(copy) == '<a k="1"><b>x</b><c/></a>'
    assert etree.tostring(root) == b'<a k=" 1 "><b> x </b><c/></a>'


def test_a_gap_is_filled_before_its_next_sibling_and_once():
    root, copy = copied()
    assert copy.fill(root, "new", root[1])
    assert not copy.fill(root, "new", None)
    assert not copy.fill(root, "{urn:x}*", None)
    assert [e.tag for e in copy.root] == ["b", "new", "c"]
    assert [copy.knows(e) for e in copy.root] == [True, False, True]
    assert copy.original(copy.root[2]) is root[1]


def test_what_stood_in_a_wrong_place_is_remembered_and_what_is_left_out_is_not():
    root, copy = copied()
    copy.misplace(root[0])
    copy.leave_out(root[1], None)
    copy.leave_out(root, "k")
    assert written(copy) == "<a/>"
    assert (copy.has_lost(root, "b"), copy.has_lost(root, "c")) == (True, False)
