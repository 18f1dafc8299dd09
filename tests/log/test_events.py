"""Every line that the code logs is a declared event with declared fields."""

import ast
import re

import pytest

from broker.log.events import COMMON, EVENTS
from tests.support.paths import ROOT

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
SAYS = {"say", "log"}
"""What the relay calls to log when a batch is committed."""
ELSEWHERE = {
    ("broker/kafka/lanes/batcher.py", "event"),  # passes on what the relay said
    ("broker/worker/agents.py", "deadletter.arrived"),  # the headers of a dead letter, by name
    ("broker/relay/answers.py", "reason"),  # the four reasons for which an answer is kept
    ("broker/relay/dispatch.py", "reason"),  # those for which a fact is
}
"""Calls whose name or fields only a run shows."""
TREES = {f.relative_to(ROOT).as_posix(): ast.parse(f.read_text("utf-8")) for f in (ROOT / "broker").rglob("*.py")}


def calls():
    """File, call, the function it stands in, for all that is logged."""
    for file, tree in TREES.items():
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and is_log(node.func) and node.args:
                    yield file, node, function


def is_log(func) -> bool:
    if isinstance(func, ast.Name):
        return func.id == "tell_log"
    if not isinstance(func, ast.Attribute):
        return False
    of = func.value.func if isinstance(func.value, ast.Call) else func.value
    name = getattr(of, "id", getattr(of, "attr", ""))
    return (func.attr in LEVELS and name in {"logger", "getLogger"}) or (
        func.attr in SAYS and name in {"draft", "batch"}
    )


def names(argument) -> set[str]:
    """The events that a call may name; empty when only a run shows."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return {argument.value}
    if isinstance(argument, ast.JoinedStr):
        parts = [re.escape(p.value) if isinstance(p, ast.Constant) else r"[a-z_-]+" for p in argument.values]
        return {name for name in EVENTS if re.fullmatch("".join(parts), name)}
    return set()


def fields(call, function, tree) -> tuple[set[str], bool]:
    """The fields of a call, and whether all of them could be seen."""
    found, whole = set(), True
    for keyword in call.keywords:
        if keyword.arg:
            found.add(keyword.arg)
        else:
            keys = spread(keyword.value, function, tree)
            found |= keys or set()
            whole = whole and keys is not None
    return found - {"exc_info"}, whole


def spread(value, function, tree) -> set[str] | None:
    """The keys of ``**value``: a dictionary written out here, or by a function beside."""
    if isinstance(value, ast.Dict):
        keys = {k.value for k in value.keys if isinstance(k, ast.Constant)}
        inner = [spread(v, function, tree) for k, v in zip(value.keys, value.values, strict=True) if k is None]
        return None if None in inner else keys.union(*inner) if inner else keys
    if isinstance(value, ast.Name):
        made = [
            node
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == value.id for t in node.targets)
        ]
        before = [node for node in made if node.lineno < value.lineno]
        return spread(max(before, key=lambda n: n.lineno).value, function, tree) if before else None
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        made = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == value.func.id]
        returns = [r.value for f in made for r in ast.walk(f) if isinstance(r, ast.Return)]
        sets = [spread(r, made[0], tree) for r in returns]
        return set().union(*sets) if sets and None not in sets else None
    return None


CALLS = list(calls())


def test_the_walk_finds_what_is_logged():
    assert len(CALLS) > 60
    assert {"message.accepted", "lane.opened", "kafka.waiting", "process.crashed"} <= set().union(
        *(names(call.args[0]) for _, call, _ in CALLS)
    )


@pytest.mark.parametrize(
    ("file", "call", "function"), CALLS, ids=[f"{file.removeprefix('broker/')}:{c.lineno}" for file, c, _ in CALLS]
)
def test_a_line_is_a_declared_event_with_declared_fields(file, call, function):
    given = call.args[0]
    said = names(given) or {getattr(n, "id", "") for n in ast.walk(given) if isinstance(n, ast.Name)}
    if any((file, name) in ELSEWHERE for name in said):
        return
    found, whole = fields(call, function, TREES[file])
    assert names(given), ast.unparse(call)
    assert whole, f"the fields of {ast.unparse(call)} cannot be read"
    undeclared = {name: found - COMMON - EVENTS[name].fields for name in names(given) if name in EVENTS}
    assert undeclared, f"{ast.unparse(given)} is declared nowhere"
    assert set() in undeclared.values(), undeclared


def test_every_declared_event_is_said_somewhere():
    text = "".join(f.read_text("utf-8") for f in (ROOT / "broker").rglob("*.py") if f.name != "events.py")
    said = set().union(*(names(call.args[0]) for _, call, _ in CALLS))
    kept = {reason.replace("-", ".", 1) for reason in re.findall(r'"((?:answer|fact)-[a-z-]+)"', text)}
    assert set(EVENTS) - said - kept - {"log.repeated"} == set()


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_a_noun_and_what_happened_to_it_and_says_what_it_means(name):
    assert re.fullmatch(r"[a-z]+\.[a-z_-]+", name)
    assert EVENTS[name].means.endswith(".")
    assert not EVENTS[name].fields & {"content", "payload", "document", "value", "body"}
