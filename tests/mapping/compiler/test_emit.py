"""What the writers of one function share: its constants, and how a place is read."""

from broker.mapping.compiler.bind import Read
from broker.mapping.compiler.emit import Emitter
from broker.registry.identifiers import NO_IDENTIFIERS
from tests.support.mapping_kit import mapping


def emitter():
    return Emitter(mapping("]").plan, {}, NO_IDENTIFIERS, traced=False)


def test_equal_constants_share_a_name_and_others_do_not():
    emit = emitter()
    first, same, other, kind = (emit.constant("T", value) for value in ((1, 2), (1, 2), (2,), "x"))
    assert first == same
    assert len({first, other, kind}) == 3
    assert (emit.constants[first], emit.constants[kind]) == ((1, 2), "x")
    assert emit.constant("T", 1) != emit.constant("T", True)


def test_of_many_elements_the_first_is_read():
    emit = emitter()
    many, one = Read("v1", "k", True, None, None), Read("v2", None, False, None, None)
    assert emit.operand(many) == "look((v1[0] if v1 else None), 'k')"
    assert emit.pair(one) == "(v2, None)"


def test_lines_are_indented():
    emit = emitter()
    emit.add(2, "x = 1")
    assert emit.lines[-1] == "        x = 1"
