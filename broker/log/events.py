"""Every event that the broker logs, declared once: its fields, and what it means to who reads it at night.

A line may leave fields out, and has no others; a test walks the code, another the lines of a real run. ``message_id``,
``conversation_id`` and what the form adds to every line (timestamp, level, logger) need no declaration.
"""

from __future__ import annotations

from dataclasses import dataclass

COMMON = frozenset(
    {"timestamp", "level", "logger", "event", "message_id", "conversation_id", "worker", "exception", "detail"}
)


@dataclass(frozen=True, slots=True)
class Event:
    """One declared event."""

    means: str
    fields: frozenset[str] = frozenset()
    repeats: bool = False
    """Whether it is said again and again while something lasts: then it is counted after a few times."""


def _event(means: str, fields: str = "", *, repeats: bool = False) -> Event:
    return Event(means, frozenset(fields.split()), repeats)


_OUTCOME = "sender lane document_type size milliseconds origin mapping trace_id since"
"""Of the one line that tells the outcome of a document; ``since`` becomes ``milliseconds`` at the commit."""

EVENTS: dict[str, Event] = {
    # documents: one of these for each, when its batch is committed
    "message.accepted": _event("A valid payload was made and handed on.", f"{_OUTCOME} routed delivered"),
    "message.refused": _event("The document is at fault; its sender has all findings.", f"{_OUTCOME} codes"),
    "message.conflict": _event("Its id was used for other content; refused.", f"{_OUTCOME} codes"),
    "message.split": _event("An envelope of several documents; each is a message.", "sender parts lane"),
    "accepted.unread": _event("The ids that other lanes accepted cannot be read just now; tried again.", "reason"),
    "message.accepted-twice": _event("Two lanes took one id at one moment; all have a notice.", "sender code lane"),
    "message.repeated": _event("Accepted before; no window hears of it again.", _OUTCOME),
    "message.failed": _event("An exception that nobody foresaw; a dead letter.", f"{_OUTCOME} reason error"),
    # what follows
    "message.answered": _event(
        "A window's answer went home.", "window state sender document_type lane milliseconds since"
    ),
    "message.overdue": _event("A window has not answered within its limit.", "window step level lane"),
    "message.no_answer": _event("It will not be waited for any longer.", "window step level lane"),
    "delivery.made": _event("What waited was delivered.", "window lane"),
    "delivery.failed": _event("A delivery was given up; a dead letter.", "window reason lane"),
    "notification.failed": _event("The sender's own form failed; sent in plain form.", "error lane"),
    "answer.unreadable": _event("What a window sent cannot be read; kept.", "window codes origin lane"),
    "answer.unmatched": _event("An answer that fits no delivery; kept.", "window lane"),
    "answer.conflict": _event("The id of an answer came twice with other content; kept.", "window lane"),
    "answer.contradiction": _event("A window contradicts itself; both sides have a notice.", "window code lane"),
    "answer.ambiguous": _event("An answer by a number that two messages have; kept.", "window lane"),
    "answer.flood": _event("More answers than a conversation holds; kept.", "window lane"),
    "answer.waiting": _event("An answer waits for the number it names.", "window mrn lane"),
    "answer.waiting-full": _event("Too much waits for one number; kept.", "window lane"),
    "writeoff.conflict": _event("A certificate was granted twice.", "sender lane"),
    "record.failed": _event("A record that is no document could not be judged.", "origin error lane"),
    "fact.newer": _event("A fact in a form that a newer version writes; kept.", "kind origin lane"),
    "fact.unknown": _event("A fact of a kind that this version does not know; kept.", "kind origin lane"),
    "fact.unreadable": _event("A fact that cannot be read; kept.", "kind origin lane"),
    "record.unreadable": _event("Bytes that are no record, or too many; stepped over.", "origin to reason"),
    "record.buried": _event("What could not be taken as it came is a dead letter.", "origin to reason lane"),
    "record.over-budget": _event("A document takes more time or memory than one may; a dead letter.", "origin"),
    "aside.begun": _event("The process for large documents begins."),
    "aside.ended": _event("The process for large documents was ended, or ended.", "reason"),
    "record.poison": _event("The first sight of an exception that nobody foresaw.", "origin"),
    "deadletter.arrived": _event(
        "Each dead letter, once.", "id reason destination window origin_topic origin_partition origin_offset"
    ),
    # lanes and the group
    "catalogue.unnoted": _event("That the data is sound could not be noted on disk: it is looked at again.", "reason"),
    "catalogue.sound": _event("All data was held against itself and is sound; lanes may be taken.", "catalogue"),
    "worker.starting": _event("A worker begins.", "bootstrap instance"),
    "worker.leaves": _event("It ends by itself; the code says why.", "reason sentence code"),
    "catalogue.loaded": _event("The data are read.", "types participants"),
    "catalogue.compiled": _event("Schemas and mappings are compiled.", "seconds"),
    "catalogue.kept": _event("The data are kept by their digest.", "catalogue decisions engine"),
    "catalogue.unread": _event("An earlier version of the data cannot be read now.", "mapping reason", repeats=True),
    "relay.started": _event("It has joined the group.", "participants instance"),
    "partitions.assigned": _event("Its share of the lanes.", "lanes moved_away"),
    "partitions.revoked": _event("Its share is taken back.", "lanes unfinished"),
    "lane.opened": _event("A lane works.", "lane seconds remembered waiting"),
    "lane.again": _event("A lane opens again after a trouble.", "lane reason times", repeats=True),
    "lane.ended": _event("A lane that moved away ended with a trouble of no more interest.", "lane reason"),
    "lane.crashed": _event("A lane ended in a way that nobody foresaw."),
    "group.waits": _event("A static member waits for its share.", "instance seconds reason"),
    "topics.refused": _event("The relay's own topics take nothing.", "topics reasons lane", repeats=True),
    "records.lost": _event("Records were deleted before they were read.", "topic partition committed next first count"),
    "state.read": _event("What a lane remembers was read.", "lane records seconds"),
    "state.unreadable": _event("What a lane remembers of a key cannot be read; taken for nothing.", "topic key reason"),
    "state.anew": _event("A copy was in doubt; it is read from Kafka.", "topic lane"),
    "offsets.left-open": _event("A commit of offsets was left open; ended.", "lane commit known"),
    "transaction.left-open": _event("A commit was left open in a partition.", "lane topic partition offset commit"),
    "transaction.ended": _event("What was left open is ended.", "lane partitions commit open"),
    "snapshot.written": _event("A copy of what a lane remembers.", "topic lane entries true_to"),
    "snapshot.unwritten": _event("It could not be copied; nothing else is missing.", "topic lane reason", repeats=True),
    "snapshot.unread": _event("A copy cannot be used; read from Kafka.", "topic lane reason"),
    "snapshot.none": _event("Copies cannot be trusted; read from Kafka.", "reason"),
    # Kafka, destinations, storage
    "kafka.waiting": _event("Kafka does not answer.", "bootstrap reason", repeats=True),
    "kafka.away": _event("Kafka does not answer; documents wait where they are.", "bootstrap"),
    "kafka.back": _event("Back again: Kafka answers.", "bootstrap seconds"),
    "topics.waiting": _event("Topics are missing.", "missing count remedy", repeats=True),
    "topics.unchecked": _event("The settings of topics could not be read.", "reason"),
    "topic.anew": _event("A topic was made anew; read from its beginning.", "topic partition committed next first end"),
    "topic.missing": _event("A participant's topics are not there; its trouble alone.", "lane topics count"),
    "topic.partitions": _event("Partitions beyond the number of lanes; nobody reads them.", "lanes topics count"),
    "topic.unreadable": _event("A topic cannot be read; it rests.", "topic partition reason", repeats=True),
    "offsets.unknown": _event("Kafka tells no offsets of a partition.", "topic partition reason", repeats=True),
    "topic.unwritable": _event("A participant's queue takes nothing; dead letters.", "topic reason", repeats=True),
    "topic.changed": _event("A topic's setting was put right.", "topic reason"),
    "topic.wrong": _event("A topic's setting is not as it has to be.", "topic reason"),
    "destination.failed": _event("An inbox took nothing.", "participant reason failures seconds", repeats=True),
    "destination.recovered": _event("An inbox takes records again.", "participant"),
    "claim.unread": _event("A claim check cannot be fetched.", "origin reason", repeats=True),
    "claim.unwritten": _event("A claim check cannot be written.", "topic reason", repeats=True),
    "claims.cleaned": _event("Objects that no record can name any more are gone.", "count"),
    "claims.uncleaned": _event("The object store could not be cleaned.", "reason"),
    "origin.gone": _event("A document is no longer at its origin.", "origin"),
    "origin.close": _event("The reader of origins ended badly.", "error"),
    "watchdog.asks": _event("The owner of a conversation is asked to look."),
    "watchdog.waits": _event("The watchdog cannot read.", "error", repeats=True),
    "alarm.again": _event("Who tells dead letters is started again.", "reason", repeats=True),
    # the mock windows
    "window.answered": _event("A mock window has answered.", "window answers"),
    "window.unreadable": _event("A payload that it cannot read.", "window reason"),
    "window.retries": _event("Its answer was not taken; it tries again.", "window reason", repeats=True),
    "window.broken": _event("An exception that nobody foresaw.", "window"),
    # the process
    "process.crashed": _event("The process ends by an exception that nobody caught."),
    "log.repeated": _event("How often a line came that was said only at first.", "of line times seconds"),
    # the console
    "console.opened": _event("The console serves its pages.", "address database"),
    "console.caught-up": _event("The read model holds all there is.", "events seconds"),
    "console.waits": _event("The read model cannot be fed.", "reason", repeats=True),
    "console.action": _event("Somebody did something; swb.tracking keeps it.", "action by why subject"),
    "console.pruned": _event("What has ended long ago is forgotten.", "documents events"),
    "console.failed": _event("A page failed in a way that nobody foresaw.", "path"),
}
