"""WCO Responses (``RES``, WCO DM 3.6) in and out: bytes to Answers, and an Answer to bytes.

Real notifications come wrapped in MetaData, several in one, bare, with and without their namespaces; all are read, and
each departure from the schema is named in ``Answer.tolerated``.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lxml import etree

from broker.content.xml import parse
from broker.model.answers import Answer, AnswerError, AnswerStatus, Change, PointerStep, Remark
from broker.model.errors import Refused
from broker.model.findings import Finding
from broker.model.ids import message_id_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from broker.model.answers import Chain
    from broker.model.ids import ParticipantCode

META = "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"
RES = "urn:wco:datamodel:WCO:RES-DMS:2"
RES_DS = "urn:wco:datamodel:WCO:Response_DS:DMS:2"

NO_NAMESPACE = "answer.no-namespace"
WRAPPER = "answer.wrapper"
FUNCTION_NAME = "answer.function-name"
TIME = "answer.time"

_SEQUENCE_DIGITS = 9
"""Of a SequenceNumeric (WCO DM: n..5); what has more points to nothing."""
_TIME = re.compile(r"(\d{8})(?:(\d{4})(\d{2})?(?:(Z)|([+-])(\d{2}):?(\d{2})?)?)?")
_NAMESPACES: dict[str, str] = {None: META, "res": RES, "ds": RES_DS}  # type: ignore[dict-item]  # the stubs forget None
_PART_FACTOR, _PART_BYTES = 2, 1 << 20
"""How much more all parts may have than their record."""
_MAX_ID = 200
"""Characters of a code or number: the schema allows 70 at most, and they become keys."""
_HEADER = ("WCODataModelVersionCode", "WCOTypeName", "ResponsibleCountryCode", "ResponsibleAgencyName")


# --- in ---------------------------------------------------------------------------------------------------------------


def read(content: bytes, window: ParticipantCode, record_id: str) -> tuple[Answer, ...]:
    """Every Response of a record, in order; Refused when there is none that can be read.

    An answer is named by its own reference; where that is missing, or only repeats ours, by record and position. Our
    reference comes back below Declaration; a window that gives neither it nor an MRN there can only have meant ours.
    """
    root, found = _responses(content)
    wrapper = _wrapper_tolerance(root, found[0])
    return tuple(_answer(element, window, record_id, n, wrapper) for n, element in enumerate(found, 1))


def read_part(content: bytes, window: ParticipantCode, record_id: str, position: int) -> Answer:
    """The Response of that position (from 1), out of its record or out of its part of it; Refused as above."""
    root, found = _responses(content)
    element = found[0] if len(found) == 1 else found[position - 1]
    return _answer(element, window, record_id, position, _wrapper_tolerance(root, element))


def split(content: bytes, window: ParticipantCode, record_id: str) -> tuple[tuple[Answer, bytes], ...]:
    """Every Response of a record, each with the bytes that hold it alone: a record of one Response is its own part.

    Refused where the parts would be much larger than the record: namespaces that stand around all of them would be
    written into each.
    """
    root, found = _responses(content)
    wrapper = _wrapper_tolerance(root, found[0])
    if len(found) == 1:
        return ((_answer(found[0], window, record_id, 1, wrapper), content),)
    parts, room = [], _PART_FACTOR * len(content) + _PART_BYTES
    for position, element in enumerate(found, 1):
        part = etree.tostring(element, encoding="UTF-8", with_tail=False)
        room -= len(part)
        if room < 0:
            raise _unreadable("answer.too-large", "Taken apart, the Responses would be much larger than their record.")
        whole = b"<Responses>%b</Responses>" % part if wrapper else part
        parts.append((_answer(element, window, record_id, position, wrapper), whole))
    return tuple(parts)


def _responses(content: bytes) -> tuple[etree._Element, list[etree._Element]]:
    root, _ = parse(content)
    found = [element for element in root.iter(etree.Element) if _name(element) == "Response" and not _inside(element)]
    if not found:
        raise _unreadable("answer.no-response", f"There is no Response in it; the root element is {_name(root)}.")
    return root, found


def holds_response(root: etree._Element) -> bool:
    """Whether a parsed content is an answer: a Response, bare or in MetaData, whatever its namespace."""
    return _name(root) == "Response" or any(_name(child) == "Response" for child in root.iterchildren(etree.Element))


def _ours(below: str, own: str, *, has_number: bool) -> str:
    """Our reference: below Declaration, else the answer's own where that can only be ours or has the form of ours."""
    if below:
        return message_id_in(below) or below
    return message_id_in(own) or ("" if has_number else own)


def _answer(element: etree._Element, window: ParticipantCode, record_id: str, position: int, wrapper: str) -> Answer:
    reader = _ResponseReader()
    function = reader.text(element, "FunctionCode") or reader.text(element, "Function", FUNCTION_NAME)
    if not function:
        raise _unreadable("answer.no-function", f"Response {position} has no FunctionCode.")
    declaration = reader.first(element, "Declaration")
    own, mrn = reader.text(element, "FunctionalReferenceID"), reader.text(declaration, "ID")
    below = reader.text(declaration, "FunctionalReferenceID")
    reference = _ours(below, own, has_number=bool(mrn))
    if max(map(len, (function, own, mrn, reference))) > _MAX_ID:
        raise _unreadable(
            "answer.too-long", f"Response {position} has a code or number of more than {_MAX_ID} characters."
        )
    if etree.QName(element).namespace != RES:
        reader.tolerated.append(NO_NAMESPACE)
    return Answer(
        window=window,
        answer_id=own if own and reference not in {own, message_id_in(own)} else f"{record_id}#{position}",
        function_code=function,
        reference=reference,
        is_own_reference=bool(own) and message_id_in(own) == reference != message_id_in(below),
        mrn=mrn,
        issued=reader.time(element, "IssueDateTime"),
        errors=tuple(
            AnswerError(reader.text(e, "ValidationCode"), reader.text(e, "Description"), chain)
            for e in reader.all(element, "Error")
            for chain in reader.chains(e)
        ),
        statuses=tuple(
            AnswerStatus(
                reader.text(s, "NameCode"),
                reader.time(s, "EffectiveDateTime"),
                reader.time(s, "ReleaseDateTime"),
                chain,
            )
            for s in reader.all(element, "Status")
            for chain in reader.chains(s)
        ),
        remarks=tuple(
            Remark(
                reader.text(a, "StatementCode"),
                reader.text(a, "StatementDescription"),
                reader.text(a, "StatementTypeCode"),
                reader.time(a, "LimitDateTime"),
                chain,
            )
            for a in reader.all(element, "AdditionalInformation")
            for chain in reader.chains(a)
        ),
        changes=tuple(
            Change(reader.text(a, "ChangeReasonCode"), chain)
            for a in reader.all(element, "Amendment")
            for chain in reader.chains(a)
        ),
        version=reader.text(declaration, "VersionID"),
        accepted=reader.time(declaration, "AcceptanceDateTime"),
        rejected=reader.time(declaration, "RejectionDateTime"),
        cancelled=reader.time(declaration, "CancellationDateTime"),
        details=tuple(_rest(element, reader.used)),
        tolerated=tuple(dict.fromkeys([*([wrapper] if wrapper else []), *reader.tolerated])),
        position=position,
        digest=_digest(element),
    )


class _ResponseReader:
    """Reads children by local name and remembers what was read, so that the rest can be listed."""

    def __init__(self) -> None:
        self.used: set[etree._Element] = set()
        self.tolerated: list[str] = []
        self._children: dict[etree._Element, dict[str, list[etree._Element]]] = {}

    def all(self, parent: etree._Element | None, name: str) -> list[etree._Element]:
        if parent is None:
            return []
        if parent not in self._children:
            found: dict[str, list[etree._Element]] = {}
            for child in parent.iterchildren(etree.Element):
                found.setdefault(_name(child), []).append(child)
            self._children[parent] = found
        return self._children[parent].get(name, [])

    def first(self, parent: etree._Element | None, name: str) -> etree._Element | None:
        return next(iter(self.all(parent, name)), None)

    def text(self, parent: etree._Element | None, name: str, tolerance: str = "") -> str:
        element = self.first(parent, name)
        if element is None:
            return ""
        self.used.add(element)
        if tolerance:
            self.tolerated.append(tolerance)
        return " ".join((element.text or "").split())

    def time(self, parent: etree._Element | None, name: str) -> str:
        """RFC 3339 in UTC; a text that is no time stays among the details and is named."""
        value = self.first(self.first(parent, name), "DateTimeString")
        if value is None or not (value.text or "").strip():
            return ""
        try:
            moment = instant("".join((value.text or "").split()))
        except ValueError:
            self.tolerated.append(TIME)
            return ""
        self.used.add(value)
        return moment

    def chains(self, parent: etree._Element) -> list[Chain]:
        """Every chain: a new one begins behind the id of an element, and where the first class comes again."""
        found: list[list[PointerStep]] = [[]]
        for step in self._steps(parent):
            if found[-1] and (found[-1][-1].tag or step.section == found[0][0].section):
                found.append([])
            found[-1].append(step)
        return [tuple(steps) for steps in found]

    def _steps(self, parent: etree._Element) -> Iterator[PointerStep]:
        for pointer in self.all(parent, "Pointer"):
            sequence = self.text(pointer, "SequenceNumeric")
            is_number = sequence.isascii() and sequence.isdigit() and len(sequence) <= _SEQUENCE_DIGITS
            number = int(sequence) if is_number else None
            yield PointerStep(self.text(pointer, "DocumentSectionCode"), number, self.text(pointer, "TagID"))


def instant(text: str) -> str:
    """A WCO date-time (UN 2379: 102, 203, 204, 304) as RFC 3339 in UTC; ValueError when it is none."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not a date-time of formatCode 102, 203, 204 or 304: {text!r}")
    day, minutes, seconds, _, sign, hours, offset_minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(offset_minutes or 0)) * (-1 if sign == "-" else 1)
    local = datetime.strptime(f"{day}{minutes or '0000'}{seconds or '00'}+0000", "%Y%m%d%H%M%S%z")
    try:
        return (local - offset).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError as error:  # of the year 1, or 9999
        raise ValueError(f"no date-time of this era: {text!r}") from error


def _rest(element: etree._Element, used: set[etree._Element], path: str = "") -> Iterator[tuple[str, str]]:
    """(path below the Response, text) of every leaf that no field of Answer holds, attributes included."""
    if element not in used:
        text = " ".join((element.text or "").split())
        if text:
            yield path, text
        for name, value in element.attrib.items():
            if name != "formatCode" and str(value).strip():
                yield f"{path}/@{etree.QName(name).localname}".lstrip("/"), str(value).strip()
    children = list(element.iterchildren(etree.Element))
    many = Counter(_name(child) for child in children)
    seen: Counter[str] = Counter()
    for child in children:
        name = _name(child)
        seen[name] += 1
        step = f"{name}[{seen[name]}]" if many[name] > 1 else name
        yield from _rest(child, used, f"{path}/{step}".lstrip("/"))


def _digest(element: etree._Element) -> str:
    """SHA-256 of what it says: names, attributes and texts, without white space and prefixes."""
    sha = hashlib.sha256()
    for event, node in etree.iterwalk(element, events=("start", "end")):
        if event == "start":
            values = sorted((str(name), str(value).strip()) for name, value in node.attrib.items())
            sha.update(repr((_name(node), values, (node.text or "").strip())).encode())
        else:
            sha.update(b"/")
    return sha.hexdigest()


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _inside(element: etree._Element) -> bool:
    return any(_name(parent) == "Response" for parent in element.iterancestors())


def _wrapper_tolerance(root: etree._Element, response: etree._Element) -> str:
    usual = root is response or (_name(root) == "MetaData" and response.getparent() is root)
    return "" if usual else WRAPPER


def _unreadable(code: str, message: str) -> Refused:
    return Refused([Finding(code, message)])


# --- out --------------------------------------------------------------------------------------------------------------


def write(answers: Sequence[Answer], country: str = "", agency: str = "", customization: str = "") -> bytes:
    """MetaData with one Response per answer, in the order of elements that the RES schema demands."""
    meta = etree.Element(f"{{{META}}}MetaData", nsmap=_NAMESPACES)
    for name, value in zip(_HEADER, ("3.6", "RES", country, agency), strict=True):
        _put(meta, f"{{{META}}}{name}", value)
    _put(meta, f"{{{META}}}AgencyAssignedCustomizationCode", customization)
    for answer in answers:
        _response(meta, answer)
    return etree.tostring(meta, encoding="UTF-8", xml_declaration=True)


def _response(meta: etree._Element, answer: Answer) -> None:
    response = _res(meta, "Response")
    _res(response, "FunctionCode", answer.function_code)
    _res(response, "FunctionalReferenceID", answer.answer_id)
    _when(response, "IssueDateTime", answer.issued)
    for remark in answer.remarks:
        information = _res(response, "AdditionalInformation")
        _res(information, "StatementCode", remark.code)
        _res(information, "StatementDescription", remark.text)
        _when(information, "LimitDateTime", remark.limit)
        _res(information, "StatementTypeCode", remark.type_code)
        _pointers(information, remark.pointer)
    for change in answer.changes:
        amendment = _res(response, "Amendment")
        _res(amendment, "ChangeReasonCode", change.reason)
        _pointers(amendment, change.pointer)
    for error in answer.errors:
        fault = _res(response, "Error")
        _res(fault, "Description", error.text)
        _res(fault, "ValidationCode", error.code)
        _pointers(fault, error.pointer)
    for status in answer.statuses:
        state = _res(response, "Status")
        _when(state, "EffectiveDateTime", status.effective)
        _res(state, "NameCode", status.code)
        _when(state, "ReleaseDateTime", status.released)
        _pointers(state, status.pointer)
    declaration = _res(response, "Declaration")
    _when(declaration, "AcceptanceDateTime", answer.accepted)
    _when(declaration, "CancellationDateTime", answer.cancelled)
    _res(declaration, "FunctionalReferenceID", answer.reference)
    _res(declaration, "ID", answer.mrn)
    _when(declaration, "RejectionDateTime", answer.rejected)
    _res(declaration, "VersionID", answer.version)


def _pointers(parent: etree._Element, chain: Chain) -> None:
    for step in chain:
        pointer = _res(parent, "Pointer")
        _res(pointer, "SequenceNumeric", "" if step.sequence is None else str(step.sequence))
        _res(pointer, "DocumentSectionCode", step.section)
        _res(pointer, "TagID", step.tag)


_CONTAINERS = frozenset({"Response", "AdditionalInformation", "Amendment", "Error", "Status", "Declaration", "Pointer"})


def _res(parent: etree._Element, name: str, text: str = "") -> etree._Element:
    """A container, or a leaf when it has a text: an empty leaf says nothing and is not written."""
    if name in _CONTAINERS:
        return etree.SubElement(parent, f"{{{RES}}}{name}")
    return _put(parent, f"{{{RES}}}{name}", text)


def _put(parent: etree._Element, tag: str, text: str) -> etree._Element:
    if not text:
        return parent
    leaf = etree.SubElement(parent, tag)
    leaf.text = text
    return leaf


def _when(parent: etree._Element, name: str, moment: str) -> None:
    """A date-time as formatCode 304, which the RES schema takes in UTC only to the second."""
    if moment:
        value = etree.SubElement(etree.SubElement(parent, f"{{{RES}}}{name}"), f"{{{RES_DS}}}DateTimeString")
        value.set("formatCode", "304")
        value.text = datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y%m%d%H%M%SZ")
