"""XPath expressions of rules held against a schema: names it does not know there, functions and variables nobody has.

libxml2 compiles what is well formed and finds nothing for a misspelt name, in silence; so the names are followed here.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from elementpath import ElementPathError, XPath2Parser

from broker.content.xpath_functions import FUNCTIONS
from broker.workbench.schema_tree import ANY, SchemaNode, local

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RULE_FUNCTIONS = tuple(name for _, name in FUNCTIONS)
"""What every rule may call besides XPath 1.0."""
OWN_FUNCTIONS = ("valid-id", "in-list", "matches", "days")
"""What a window's rules may call besides those (``broker.windows.functions``)."""
Chain = tuple[SchemaNode, ...]
"""A declaration below those that hold it."""
Chains = frozenset[Chain]
_DOWN, _DEEP, _UP = (
    frozenset({"/", "child"}),
    frozenset({"//", "descendant", "descendant-or-self"}),
    frozenset({"..", "parent"}),
)
_MAX_DEPTH = 12
_ROOT = 2
"""Length of the chain of a root element: the document's node is above it."""
_ANYTHING = SchemaNode(ANY, None)


class XPathNames:
    """Expressions on the documents of one schema."""

    def __init__(
        self, top: SchemaNode, namespaces: Mapping[str, str] | None = None, *, bare: bool = False, over: str = ""
    ) -> None:
        around = SchemaNode(over, frozenset(), lambda: (top,)) if over else None
        outermost = around or top
        self.top: Chain = (SchemaNode("", frozenset(), lambda: (outermost,)), *([around] if around else []), top)
        """From the document's node to the element at which expressions start."""
        self._namespaces = dict(namespaces or {})
        self._bare = bare
        """Names are written without prefixes, whatever their namespace."""

    @property
    def start(self) -> Chains:
        """Where expressions start: the root element, or the Declaration below its ``over``."""
        return frozenset((self.top,))

    def follow(self, expression: str, start: Chains) -> tuple[Chains, list[str]]:
        """The declarations an expression may lead to from those at ``start``, and what is unknown in it."""
        try:
            token = _parsed(expression, tuple(sorted(self._namespaces.items())), bare=self._bare)
        except ElementPathError as error:
            return frozenset(), [f"{expression!r} is not XPath 1.0: {_plain(error)}"]
        walk = _Walk(self._namespaces, self.top, bare=self._bare)
        found = walk.go(token, start)
        return found, list(dict.fromkeys(walk.unknown))


class _Walk:
    """One walk through an expression's tokens."""

    def __init__(self, namespaces: Mapping[str, str], top: Chain, *, bare: bool) -> None:
        self.namespaces = namespaces
        self.top = top
        self.bare = bare
        self.unknown: list[str] = []

    def go(self, token: Any, here: Chains) -> Chains:  # noqa: ANN401, C901, PLR0911 - one kind of token after another
        symbol, parts = token.symbol, list(token)
        if symbol in {"/", "//"}:
            return self._path(symbol, parts, here)
        if symbol == "[":
            found = self.go(parts[0], here)
            self.go(parts[1], found)
            return found
        if symbol in {"(name)", ":", "*"} and (symbol != "*" or not parts):
            return self._named(token, self._children(here))
        if token.label == "axis":
            return self._axis(symbol, parts, here)
        if symbol == "@":
            self._attribute(_name(parts[0]), here)
            return frozenset()
        if symbol == ".":
            return here
        if symbol == "..":
            return self._up(here)
        if symbol in {"|", "(", "union"}:
            return self._either(parts, here)
        if symbol != "$":
            for part in parts:
                self.go(part, here)
        return frozenset()

    def _either(self, parts: list[Any], here: Chains) -> Chains:
        """A union: one side may name what only another format of the same family has."""
        before = len(self.unknown)
        found = [self.go(part, here) for part in parts]
        if any(found):
            del self.unknown[before:]
        return frozenset().union(*found)

    def _path(self, symbol: str, parts: list[Any], here: Chains) -> Chains:
        if len(parts) == 1:
            document = frozenset((self.top[:1],))
            return self.go(parts[0], document if symbol == "/" else frozenset(self._deep(document)) | document)
        if not parts:
            return frozenset((self.top[:1],))
        before = self.go(parts[0], here)
        if symbol == "//":
            before = frozenset(self._deep(before)) | before
        return self.go(parts[1], before) if before else frozenset()

    def _axis(self, symbol: str, parts: list[Any], here: Chains) -> Chains:  # noqa: PLR0911 - one axis after another
        if symbol == "self":
            return self._named(parts[0], here, must=False)
        if symbol == "child":
            return self._named(parts[0], self._children(here))
        if symbol in {"descendant", "descendant-or-self"}:
            own = here if symbol == "descendant-or-self" else frozenset()
            return self._named(parts[0], frozenset(self._deep(here)) | own)
        if symbol == "attribute":
            self._attribute(_name(parts[0]), here)
            return frozenset()
        if symbol == "parent":
            return self._named(parts[0], self._up(here))
        if symbol in {"ancestor", "ancestor-or-self"}:
            over = frozenset(chain[:n] for chain in here for n in range(1, len(chain) + (symbol != "ancestor")))
            return self._named(parts[0], over)
        if symbol in {"following-sibling", "preceding-sibling"}:
            return self._named(parts[0], self._children(self._up(here)))
        return frozenset(self._deep(frozenset((self.top[:1],))))

    def _named(self, token: Any, of: Chains, *, must: bool = True) -> Chains:  # noqa: ANN401 - as above
        """Those of the declarations that a name test takes; told where there are some, and none of that name."""
        if token.symbol == "*" or token.label in {"kind test", "function"}:
            return of
        name = _name(token)
        if name.endswith(":*"):
            return frozenset(chain for chain in of if chain[-1].name.startswith(self._clark(name).removesuffix("*")))
        wanted = self._clark(name)
        found = frozenset(chain for chain in of if chain[-1].name == ANY or self._is(chain[-1].name, wanted))
        if must and of and not found:
            self.unknown.append(name)
        return found

    def _is(self, declared: str, wanted: str) -> bool:
        return local(declared) == wanted if self.bare else declared == wanted

    def _clark(self, name: str) -> str:
        prefix, colon, rest = name.partition(":")
        if self.bare or not colon:
            return name
        return f"{{{self.namespaces.get(prefix, '')}}}{rest}"

    def _attribute(self, name: str, here: Chains) -> None:
        wanted = name if self.bare else self._clark(name)
        if here and name != "*" and not any(chain[-1].has_attribute(wanted) for chain in here):
            self.unknown.append(f"@{name}")

    @staticmethod
    def _children(here: Chains) -> Chains:
        return frozenset((*chain, child) for chain in here for child in chain[-1].children)

    @staticmethod
    def _up(here: Chains) -> Chains:
        """Above the root stands an envelope, perhaps, with whatever it holds."""
        return frozenset(chain[:-1] if len(chain) > _ROOT else (_ANYTHING,) for chain in here)

    @staticmethod
    def _deep(here: Chains) -> Iterator[Chain]:
        """Everything below, each declaration once."""
        seen: set[SchemaNode] = set()
        pending = list(here)
        while pending:
            chain = pending.pop()
            for child in chain[-1].children:
                if child not in seen and len(chain) < _MAX_DEPTH:
                    seen.add(child)
                    pending.append((*chain, child))
                    yield pending[-1]


def literals(
    expression: str, function: str, namespaces: Mapping[str, str], *, bare: bool, argument: int = 0
) -> Iterable[str]:
    """The texts that stand as one argument of a function in an expression: lists, numberings and patterns it asks."""
    if function not in expression:
        return ()
    try:
        token = _parsed(expression, tuple(sorted(namespaces.items())), bare=bare)
    except ElementPathError:
        return ()  # told already
    calls = (one for one in token.iter() if one.symbol == function and len(one) > argument)
    return [str(call[argument].value) for call in calls if call[argument].symbol == "(string)"]


@lru_cache(maxsize=4096)
def _parsed(expression: str, namespaces: tuple[tuple[str, str], ...], *, bare: bool) -> Any:  # noqa: ANN401 - a token
    return _parser(namespaces, bare=bare).parse(expression)


@lru_cache(maxsize=64)
def _parser(namespaces: tuple[tuple[str, str], ...], *, bare: bool) -> XPath2Parser:
    parser = XPath2Parser(namespaces=dict(namespaces), variable_types={"today": "xs:string"})
    for name in (*RULE_FUNCTIONS, *(OWN_FUNCTIONS if bare else ())):
        if name != "matches":  # XPath 2.0 has it
            parser.external_function(lambda *_: None, name=name, prefix="")
    return parser


def _name(token: Any) -> str:  # noqa: ANN401 - as above
    """The name as written, with its prefix."""
    if token.symbol == ":":
        return f"{token[0].value}:{'*' if token[1].symbol == '*' else token[1].value}"
    return str(token.value) if token.symbol != "*" else "*"


def _plain(error: ElementPathError) -> str:
    return str(error).partition("] ")[2] or str(error)
