"""The answer comes home: a notification becomes one record in the sender's form that points into its document.

A window's pointer leads through the payload and its lineage to path, line, label and value as the sender wrote them. No
Kafka, no clock, no disk after ``load``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lxml import etree

from broker.answers.render import JSON_FORM, AtWindow, LocatedNotification, load_forms, render
from broker.content.detect import detect
from broker.content.pointers import Pointers
from broker.mapping import explain
from broker.model.answers import AnswerError, chain_text
from broker.model.errors import Misconfigured, Refused
from broker.model.findings import Finding, Severity, short
from broker.model.ids import DocumentTypeName, ParticipantCode
from broker.registry.statuses import load as load_statuses
from broker.toml_table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from broker.answers.history import Answered
    from broker.answers.render import Form
    from broker.content.pointers import Doubt, PointerTarget
    from broker.mapping import Explanation, Source
    from broker.model.answers import Answer, Chain
    from broker.model.documents import Document, DocumentType, Rule
    from broker.model.outcomes import Catalogue
    from broker.model.participants import Participant
    from broker.registry.statuses import Meaning, Statuses

Locate = Callable[["Chain", str], "tuple[Source | None, Doubt | None]"]
"""From a window's pointer, and the attribute its rule looks at, to the first of its places in the sender's document."""
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
MOST_FINDINGS = 1000
MORE = "findings.more"
ALWAYS = ("en", "es")
"""The languages that every sender gets; others where its profile wants them."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing that the sender of a document is to know."""

    kind: str
    """receipt, answer, refusal or notice."""
    message_id: str
    sender: str
    document_type: str
    state: str
    """A canonical state of the dictionary: with an answer, where the message stands at the window by all that it said;
    empty where nobody knows its codes."""
    window: str = ""
    at: str = ""
    findings: tuple[Finding, ...] = ()
    """Those of the line, or of the broker itself."""
    answer: Answered | None = None
    content: bytes | None = None
    """The sender's document as it lies at its origin; an answer without it goes home with the window's own pointers."""
    mapping: str = ""
    """The mapping that made the payload, ``id@version+sha256``: another one cannot find its places again."""
    id: str = ""
    windows: tuple[AtWindow, ...] = ()
    """How the message stands at every window."""
    document: Document | None = None
    """The content as recognised, where it is at hand: then it is not parsed again."""
    most: int = MOST_FINDINGS
    """Findings that are listed one by one; of more, their number."""
    skipped: int = 0
    """Lines of the sender's envelope that stood before the document and were other documents."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A notification as it goes out."""

    content: bytes
    content_type: str
    state: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class WayBack:
    """All that is needed to notify a sender, ready for every message. ``way_back(notification)`` gives the record."""

    catalogue: Catalogue
    statuses: Statuses
    forms: Mapping[str, Form]
    sentences: Mapping[str, Mapping[str, str]]
    pointers: Pointers
    kept: Callable[[str], Catalogue | None] = lambda _mapping: None
    """The catalogue in which a mapping was kept (``broker.archive``), for documents of an earlier version."""

    def __call__(self, notification: Notification) -> Rendered:
        document = notification.document or self._document(notification)
        form = self._form(notification, document)
        located = self.located(notification, document)
        content = render(located, form, self.statuses, None if document is None else document.root)
        return Rendered(content, form.media_type, located.state, located.findings)

    def meaning(self, answer: Answer) -> Meaning:
        """What an answer says, in the words of its window."""
        answers = self.catalogue.participants[answer.window].answers
        return self.statuses.means(answer, answers.dialect, answers.states)

    def located(self, notification: Notification, document: Document | None = None) -> LocatedNotification:
        """The notification with every place in the sender's document found."""
        languages = self.languages(notification.sender)
        findings = self.of_the_line(notification.findings[: notification.most], document, languages)
        findings += self._more(len(notification.findings) - notification.most, languages)
        state = notification.state or (notification.answer.state if notification.answer else "")
        plain = LocatedNotification(
            kind=str(notification.kind),
            id=notification.id or _derived(notification),
            message_id=notification.message_id,
            conversation_id=notification.message_id,
            state=state if state in self.statuses.states else "registered",
            at=notification.at,
            sender=notification.sender,
            sender_name=self._name(notification.sender),
            window=notification.window,
            window_name=self._name(notification.window),
            findings=findings,
            windows=notification.windows,
            languages=languages,
        )
        return self._with_answer(plain, notification, document) if notification.answer else plain

    def _with_answer(
        self, plain: LocatedNotification, notification: Notification, document: Document | None
    ) -> LocatedNotification:
        """The notification with what the window said. Places are sought only with the mapping that made the payload."""
        assert notification.answer is not None  # noqa: S101 - asked before
        answered, answer = notification.answer, notification.answer.answer
        source = document if self._pinned(notification.mapping) else None
        found = self.of_the_window(answer, notification.message_id, source, plain.languages, notification.most)
        findings = [*plain.findings, *self._redacted(found, notification.sender)]
        if not answered.state:
            text = f"{answer.function_code}: {answered.why}"
            findings.append(self._remark("answer.code", text, plain.languages))
        elif answered.state != plain.state:
            text = f"{answer.function_code}: {answered.state}"
            findings.append(self._remark("answer.standing", text, plain.languages))
        return replace(
            plain,
            function_code=answer.function_code,
            answer_id=answer.answer_id,
            mrn=answer.mrn,
            version=answer.version,
            issued=answer.issued,
            findings=tuple(findings),
            remarks=tuple(replace(r, text=short(r.text)) for r in answer.remarks if not r.pointer)[: notification.most],
            details=tuple((short(path), short(text)) for path, text in answer.details[: notification.most]),
        )

    def of_the_window(
        self,
        answer: Answer,
        message_id: str,
        document: Document | None,
        languages: Sequence[str] = ALWAYS,
        most: int = MOST_FINDINGS,
    ) -> list[Finding]:
        """What a window finds in the payload, each at its place in the sender's document; errors before remarks."""
        pointing = [AnswerError(r.code, r.text, r.pointer) for r in answer.remarks if r.pointer]
        if not (answer.errors or pointing):
            return []
        locate = self._locator(document, message_id)
        rules = _by_code(self.catalogue.participants[answer.window].rules)
        found = [self._finding(rules.get(e.code), e, locate, languages) for e in answer.errors[:most]]
        found += [
            replace(self._finding(rules.get(e.code), e, locate, languages), severity=Severity.WARNING)
            for e in pointing[: most - len(found)]
        ]
        found += self._more(len(answer.errors) + len(pointing) - most, languages)
        return found if locate else [*found, self._remark("answer.source-gone", "", languages)]

    def _finding(
        self, rule: Rule | None, error: AnswerError, locate: Locate | None, languages: Sequence[str]
    ) -> Finding:
        source, doubt = locate(error.pointer, _attribute(rule)) if locate else (None, None)
        messages = _wanted(rule.message if rule else self._sentences("answer"), languages)
        if doubt:
            messages = self._doubted(messages, doubt)
        return Finding(
            code=error.code,
            message=_first(messages),
            messages=messages,
            rule=rule.id if rule else "",
            text=short(error.text),
            pointer=short(source.path) if source else "",
            line=source.line if source else None,
            label=source.label if source else "",
            value=short(source.value) if source and source.value is not None else None,
            payload_pointer=chain_text(error.pointer),
            chain=error.pointer,
        )

    def _doubted(self, messages: Mapping[str, str], doubt: Doubt) -> dict[str, str]:
        """The sentences, each with another that says which occurrence the window means, or that it does not say."""
        said = self._sentences("answer.place-several" if doubt.number is None else "answer.place-absent")
        what = _WORDS.sub(" ", doubt.place.rpartition("/")[2]).lower()
        facts = {"what": what, "number": doubt.number, "count": doubt.count}
        return {
            language: f"{text} {said.get(language, said['en']).format(**facts)}" for language, text in messages.items()
        }

    def _redacted(self, findings: Iterable[Finding], sender: str) -> list[Finding]:
        """Without the values that the sender's policy keeps out of every record; path and line stay."""
        participant = self._participant(sender)
        paths = participant.policy.redaction if participant else ()
        kept_out = {_plain(self.pointers.chain(f"/MetaData/Declaration/{path}")) for path in paths}
        return [replace(one, value=None) if _plain(one.chain) in kept_out else one for one in findings]

    def _locator(self, document: Document | None, message_id: str) -> Locate | None:
        """From a chain to the first of its places in the sender's document; None when the document is gone."""
        if document is None:
            return None
        explanation = explain(document, message_id)
        declaration = etree.fromstring(explanation.content).find("{*}Declaration")
        if declaration is None:
            return None
        return lambda chain, attribute: _source(
            explanation, self.pointers.resolve(chain, declaration), chain, attribute
        )

    def _document(self, notification: Notification) -> Document | None:
        """The sender's document, recognised by the catalogue that translated it where that is still to be had."""
        try:
            catalogue = self._pinned(notification.mapping) or self.catalogue
            return (
                None if notification.content is None else detect(notification.content, catalogue, notification.skipped)
            )
        except Refused:
            return None

    def _pinned(self, mapping: str) -> Catalogue | None:
        """The catalogue whose mapping made the payload: the present one, or one that was kept; None when it is gone."""
        present = self.catalogue.document_types.get(DocumentTypeName(mapping.partition("@")[0]))
        if not mapping or (present and present.mapping.id == mapping):
            return self.catalogue
        return self.kept(mapping)

    def _form(self, notification: Notification, document: Document | None) -> Form:
        """The form that the sender's profile names, else that of the document's own type, else JSON."""
        sender = self._participant(notification.sender)
        kind = self._type(notification, document)
        wanted = (sender.answers.form if sender else "") or (kind.response if kind else "") or JSON_FORM
        return self.forms.get(wanted) or self.forms[JSON_FORM]

    def _type(self, notification: Notification, document: Document | None) -> DocumentType | None:
        if document is not None:
            return document.type
        return self.catalogue.document_types.get(DocumentTypeName(notification.document_type))

    def _participant(self, code: str) -> Participant | None:
        return self.catalogue.participants.get(ParticipantCode(code))

    def _name(self, code: str) -> str:
        participant = self._participant(code)
        return participant.name if participant else ""

    def languages(self, sender: str) -> tuple[str, ...]:
        """Those in which a sender reads sentences, the first wanted first."""
        participant = self._participant(sender)
        return tuple(dict.fromkeys((*(participant.languages if participant else ()), *ALWAYS)))

    def of_the_line(
        self, findings: Iterable[Finding], document: Document | None, languages: Sequence[str] = ALWAYS
    ) -> tuple[Finding, ...]:
        """What the line found, in the languages of the sender."""
        rules = {rule.id: rule for rule in document.type.rules} if document else {}
        return tuple(self._worded(finding, rules.get(finding.code), languages) for finding in findings)

    def _worded(self, finding: Finding, rule: Rule | None, languages: Sequence[str]) -> Finding:
        sentences = {**self._sentences(finding.code), **(rule.message if rule else {})}
        if finding.message:
            sentences["en"] = short(finding.message)
        messages = _wanted(sentences, languages)
        return replace(
            finding.shortened(),
            message=_first(messages),
            messages=messages,
            rule=rule.id if rule else "",
            label=short(_label(finding.pointer)),
        )

    def _remark(self, code: str, text: str, languages: Sequence[str]) -> Finding:
        messages = _wanted(self._sentences(code), languages)
        return Finding(code, _first(messages), Severity.WARNING, messages=messages, text=text)

    def _more(self, count: int, languages: Sequence[str]) -> tuple[Finding, ...]:
        """The finding that says how many more there are."""
        if count <= 0:
            return ()
        return (replace(self._remark(MORE, f"{count:,}", languages), value=str(count)),)

    def _sentences(self, code: str) -> Mapping[str, str]:
        return self.sentences.get(code) or self.sentences.get(code.partition(".")[0]) or self.sentences["mapping"]


def load(root: Path, catalogue: Catalogue, kept: Callable[[str], Catalogue | None] = lambda _mapping: None) -> WayBack:
    """Forms, dictionary, sentences and pointers of a data folder; raises Misconfigured with file and place."""
    responses = root / "mappings" / "responses"
    statuses, forms = load_statuses(root / "mappings" / "statuses"), load_forms(responses)
    _refuse_unknown(catalogue, statuses, forms)
    return WayBack(
        catalogue=catalogue,
        statuses=statuses,
        forms=forms,
        sentences=_read_sentences(Table.read(responses / "sentences.toml")),
        pointers=Pointers(etree.parse(root / "xsd" / "wco" / "3.6" / "declaration.xsd").getroot()),
        kept=kept,
    )


def _read_sentences(table: Table) -> dict[str, dict[str, str]]:
    """The sentences of each code by language; every code has an English one."""
    found = {code: table.names(code) for code in table.unread()}
    for code, sentences in found.items():
        if not sentences.get("en"):
            raise table.wrong(f"{code}: en is missing")
    return found


def _refuse_unknown(catalogue: Catalogue, statuses: Statuses, forms: Mapping[str, Form]) -> None:
    """Raises where a document type, a participant or a form names what does not exist."""
    named: list[tuple[str, str, Mapping[str, object]]] = [
        (f"{t.folder}/document.toml: response", t.response, forms) for t in catalogue.document_types.values()
    ]
    for participant in catalogue.participants.values():
        place, answers = f"{participant.folder}/participant.toml: answers", participant.answers
        named += [(f"{place}.form", answers.form, forms), (f"{place}.dialect", answers.dialect, statuses.lists)]
        named += [(f"{place}.states.{code}", state, statuses.states) for code, state in answers.states.items()]
    named += [
        (f"mappings/responses/{f.name}/response.toml: lists", one, statuses.lists)
        for f in forms.values()
        for one in f.lists
    ]
    odd = [(place, name, known) for place, name, known in named if name and name not in known]
    if odd:
        sentences = (f"{place}: {name!r} is none of {', '.join(sorted(known))}" for place, name, known in odd)
        raise Misconfigured(faults=[Misconfigured(sentence) for sentence in sentences])


def _source(
    explanation: Explanation, target: PointerTarget | None, chain: Chain, attribute: str
) -> tuple[Source | None, Doubt | None]:
    """The first place of the sender's document behind a chain; for an absent element that of what would hold it.

    What is not sure is left out: an occurrence that is not there or not named has the place that holds all of them, a
    chain that was not understood to its end has no value.
    """
    if target and target.doubt:
        return next(iter(explanation.holding(target.doubt.place)), None), target.doubt
    source = _place(explanation, target, chain, attribute)
    return (source if source is None or target is None or target.is_exact else source._replace(value=None)), None


def _place(explanation: Explanation, target: PointerTarget | None, chain: Chain, attribute: str) -> Source | None:
    path = _value_path(target, chain) if target else ""
    is_more = attribute and not path.endswith(attribute.rpartition("/")[2])
    found = explanation.locate(f"{path}/{attribute}") if path and is_more else ()
    while not found and path.count("/") > 1:
        found = explanation.locate(path)
        path = path.rpartition("/")[0]
    return found[0] if found else None


def _plain(chain: Chain) -> tuple[tuple[str, str], ...]:
    """A chain without its positions."""
    return tuple((step.section, step.tag) for step in chain)


def _value_path(target: PointerTarget, chain: Chain) -> str:
    """The path of the value itself: a date-time with an id holds its value in its only child."""
    children = list(target.element) if chain[-1].tag and not target.missing else []
    return f"{target.path}/{etree.QName(children[0]).localname}" if len(children) == 1 else target.path


def _attribute(rule: Rule | None) -> str:
    """What no pointer of classes can say: the attribute that a window's rule looks at (``@currencyID``), or which of
    several elements it misses (``AdditionalInformation[StatementCode = 'SEAL']/StatementDescription``).
    """
    if rule is None:
        return ""
    at = rule.at if rule.at != "." else rule.each
    last = at.rpartition("/")[2]
    return last if last.startswith("@") else at if "[" in at and at == rule.at else ""


def _wanted(sentences: Mapping[str, str], languages: Iterable[str]) -> dict[str, str]:
    """The sentences in the languages wanted, in that order; English stands in where there is none."""
    found = {language: sentences[language] for language in languages if language in sentences}
    return found or {"en": sentences.get("en", "")}


def _first(messages: Mapping[str, str]) -> str:
    return next(iter(messages.values()), "")


def _by_code(rules: Iterable[Rule]) -> dict[str, Rule]:
    """Rules by the code that the window's answer names them by; the first one where several share it."""
    found: dict[str, Rule] = {}
    for rule in rules:
        found.setdefault(rule.code, rule)
    return found


def _label(pointer: str) -> str:
    """The plain name at the end of a path."""
    return pointer.rpartition("/")[2].partition("[")[0].rpartition(":")[2].lstrip("@")


def _derived(notification: Notification) -> str:
    cause = notification.answer.answer.answer_id if notification.answer else notification.state
    return hashlib.sha256(
        f"{notification.message_id}\n{notification.window}\n{notification.kind}\n{cause}".encode()
    ).hexdigest()
