"""Content with its values hidden and its form kept: every character that is no white space becomes a dot.

Length and lines stay, so that a place in the masked text is the same place in the text. What is no markup, or cannot be
told from it, counts as value.
"""

from __future__ import annotations

import re

DOT = "•"
_XML = re.compile(
    r"(?P<open><(?:!--|!\[CDATA\[|\?))(?P<inner>.*?)(?P<close>-->|\]\]>|\?>)|(?P<tag></?[A-Za-z_](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)"
    r"|(?P<text><|[^<]+)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([\w:.-]+)(\s*=\s*)(\"[^\"]*\"|'[^']*')")
_JSON = re.compile(r'(?P<string>"(?:\\.|[^"\\])*")(?P<colon>\s*:)?|(?P<other>[^\s{}\[\],:"]+|")', re.DOTALL)
_BLACK = re.compile(r"\S")


def hidden(text: str) -> str:
    """A value as dots."""
    return _BLACK.sub(DOT, text)


def masked(text: str) -> str:
    """XML, JSON or anything else with its values hidden; as long as before, character for character."""
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if start == "<":
        return _XML.sub(_xml, text)
    if start in ("{", "["):
        return _JSON.sub(_json, text)
    return hidden(text)


def _xml(found: re.Match[str]) -> str:
    if found["tag"]:
        return _ATTRIBUTE.sub(_attribute, found["tag"])
    if found["text"]:
        return hidden(found["text"])
    if found["open"] == "<?" and found["inner"].startswith("xml "):
        return found[0]
    return found["open"] + hidden(found["inner"]) + found["close"]


def _attribute(found: re.Match[str]) -> str:
    name, equals, value = found.groups()
    if name == "xmlns" or name.startswith("xmlns:"):
        return found[0]
    return f"{name}{equals}{value[0]}{hidden(value[1:-1])}{value[-1]}"


def _json(found: re.Match[str]) -> str:
    if found["other"]:
        return hidden(found["other"])
    if found["colon"]:
        return found[0]
    return f'"{hidden(found["string"][1:-1])}"'
