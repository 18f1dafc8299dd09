"""The implementation report as a page to read and to sign: grouped by class under headings, on screen and on paper."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from broker import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from broker.mapping.lineage.report import ImplementationReport

_STYLE = """
body { font: 16px/1.5 Georgia, 'Times New Roman', serif; margin: 2rem auto; max-width: 76rem;
  padding: 0 1rem; color: #1b1f24; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .4rem; border-bottom: 2px solid #1b1f24; padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; font-family: system-ui, sans-serif; }
h3 span { color: #57606a; font-weight: normal; }
p { max-width: 46rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 1rem 0; }
dt { color: #57606a; } dd { margin: 0; }
code { font: .82em/1.5 ui-monospace, Menlo, Consolas, monospace; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font: 13px/1.4 system-ui, sans-serif; }
th, td { border-bottom: 1px solid #d0d7de; padding: .35rem .7rem .35rem 0; text-align: left; vertical-align: top;
  overflow-wrap: normal; word-break: keep-all; hyphens: none; }
th { color: #57606a; font-weight: 600; }
.w { white-space: nowrap; }
td small { display: block; color: #57606a; }
.must { font-weight: 600; }
.sign { display: flex; flex-wrap: wrap; gap: 3rem; margin: 4rem 0 1rem; break-inside: avoid; }
.sign div { border-top: 1px solid #1b1f24; padding-top: .3rem; width: 16rem; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
@page { size: A4 landscape; margin: 14mm; }
@media print {
  body { font-size: 10.5px; margin: 0; padding: 0; max-width: none; }
  table { font-size: 8.5px; }
  .scroll { overflow: visible; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""
_WORDS = {
    "en": {
        "lead": "What becomes of each value of the document, and what does not travel. Signed, it holds for the "
        "records that carry the digest below, and for no others.",
        "type": "Document type",
        "root": "Root element",
        "payload": "Payload",
        "record": "Digest in records",
        "engine": "Engine",
        "elements": "Elements",
        "element": "Element",
        "format": "Format",
        "source": "Source in the document",
        "when": "Only where",
        "codes": "Code list",
        "how": "How",
        "example": "Example",
        "note": "Note",
        "must": "mandatory",
        "may": "optional",
        "lists": "Code lists and editions",
        "list": "List",
        "title": "Title",
        "agency": "Published by",
        "editions": "Editions",
        "losses": "Left out on purpose",
        "why": "Why",
        "rules": "Rules",
        "rule": "Rule",
        "severity": "Severity",
        "says": "Says",
        "date": "Place and date",
        "name": "Name and office",
        "signature": "Signature",
        "document": "The declaration itself",
        "statements": "Statements",
        "error": "refused",
        "warning": "warned",
    },
    "es": {
        "lead": "Qué se hace con cada valor del documento y qué no se transmite. Firmado, vale para los registros que "
        "llevan el resumen de abajo, y para ningún otro.",
        "type": "Tipo de documento",
        "root": "Elemento raíz",
        "payload": "Mensaje",
        "record": "Resumen en los registros",
        "engine": "Motor",
        "elements": "Elementos",
        "element": "Elemento",
        "format": "Formato",
        "source": "Origen en el documento",
        "when": "Solo cuando",
        "codes": "Lista de códigos",
        "how": "Cómo",
        "example": "Ejemplo",
        "note": "Nota",
        "must": "obligatorio",
        "may": "opcional",
        "lists": "Listas de códigos y ediciones",
        "list": "Lista",
        "title": "Título",
        "agency": "Publicada por",
        "editions": "Ediciones",
        "losses": "Omitido a propósito",
        "why": "Por qué",
        "rules": "Reglas",
        "rule": "Regla",
        "severity": "Efecto",
        "says": "Dice",
        "date": "Lugar y fecha",
        "name": "Nombre y cargo",
        "signature": "Firma",
        "document": "La propia declaración",
        "statements": "Declaraciones de texto",
        "error": "se rechaza",
        "warning": "se advierte",
    },
}
_BREAK = re.compile(r"(?<=[/|:])(?=[^/])")
_STATEMENT = re.compile(r"(.*?) \((.+)\)")


def page(found: ImplementationReport, language: str = "en") -> str:
    """The report as one HTML page that needs nothing else."""
    words = _WORDS[language]
    name, _, digest = found.record.rpartition("+")
    facts = [
        (words["type"], f"<code>{_broken(found.name)}</code>"),
        (words["root"], f"<code>{_broken(dict(found.facts)['Root element'])}</code>"),
        (words["payload"], _text(dict(found.facts)["Payload"])),
        (words["record"], f"<code>{_broken(name)}+{_wrapped(digest)}</code>"),
        (words["engine"], f"Single Window Broker {__version__}"),
    ]
    says = [sentence.get(language) or sentence["en"] for sentence in found.sentences]
    rules = [(i, words[severity], text) for (i, severity, _), text in zip(found.rules, says, strict=True)]
    parts = [
        f"<h1>{_broken(found.title)}</h1><p>{_broken(words['lead'])}</p>",
        "<dl>" + "".join(f"<dt>{_text(term)}</dt><dd>{value}</dd>" for term, value in facts) + "</dl>",
        f"<h2>{words['elements']}</h2>{_elements(found.rows, words)}",
        _section(words["losses"], (words["source"], words["why"]), found.losses),
        _section(words["rules"], (words["rule"], words["severity"], words["says"]), rules),
        _section(words["lists"], (words["list"], words["title"], words["agency"], words["editions"]), found.lists),
        '<div class="sign">' + "".join(f"<div>{words[w]}</div>" for w in ("date", "name", "signature")) + "</div>",
    ]
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{_text(found.title)}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _elements(rows: Iterable[Sequence[str]], words: dict[str, str]) -> str:
    """One table a class, under the path that leads to it; statements under their codes."""
    groups: dict[str, list[str]] = {}
    for row in rows:
        holder, leaf = _home(row[0], words)
        groups.setdefault(holder, []).append(_row(leaf, row, words))
    columns = ("element", "format", "source", "when", "codes", "how", "example", "note")
    head = "".join(f'<th scope="col">{words[column]}</th>' for column in columns)
    return "".join(
        f'<h3>{_broken(holder)}</h3><div class="scroll"><table class="elements"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
        for holder, lines in groups.items()
    )


def _home(name: str, words: dict[str, str]) -> tuple[str, str]:
    """Under which heading a row stands, and its name there."""
    if statement := _STATEMENT.fullmatch(name):
        holder = statement[1].rpartition("/")[0]
        return f"{holder}/{words['statements']}" if holder else words["statements"], statement[2]
    holder, _, leaf = name.rpartition("/")
    return holder or words["document"], leaf


def _row(leaf: str, row: Sequence[str], words: dict[str, str]) -> str:
    _, wco, limit, obligation, source, label, when, codes, how, example, note = row
    must = obligation == "mandatory"
    named = f"{_broken(leaf)} <small>{_broken(wco)}</small>" + (f"<small>{_broken(label)}</small>" if label else "")
    kind = f"{_broken(limit)} <small{' class=must' if must else ''}>{words['must' if must else 'may']}</small>"
    cells = [named, kind, f"<code>{_broken(source)}</code>", f"<code>{_broken(when)}</code>" if when else ""]
    cells += [_broken(text) for text in (codes, how, example, note)]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _section(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{_broken(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in header)
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return f"<h2>{_text(title)}</h2>{table}" if body else ""


def _text(value: str) -> str:
    return html.escape(value)


def _broken(value: str) -> str:
    """A text that may go on in a new line after a slash, a bar or a colon of a path, and nowhere inside a word."""
    return " ".join("<wbr>".join(map(_whole, _BREAK.split(word))) for word in value.split())


def _whole(piece: str) -> str:
    """A piece that stays in one line: browsers would break it behind its hyphens."""
    return f'<span class="w">{html.escape(piece)}</span>' if "-" in piece else html.escape(piece)


def _wrapped(digest: str) -> str:
    """A digest, which has no words, in pieces of sixteen."""
    return "<wbr>".join(digest[at : at + 16] for at in range(0, len(digest), 16))
