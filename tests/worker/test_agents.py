"""The mock windows' agents: every reply lies in Kafka before a payload is acknowledged."""

from types import SimpleNamespace

from broker.relay import headers
from broker.windows.respond import WindowReply
from broker.worker import agents


class Answers:
    """A topic that fails at first."""

    def __init__(self, failures=0):
        self.failures, self.sent = failures, []

    async def send(self, **given):
        if self.failures:
            self.failures -= 1
            raise ConnectionError

        async def done():
            self.sent.append(given)

        return done()


async def test_an_answer_is_sent_until_kafka_takes_it(monkeypatch):
    monkeypatch.setattr(agents, "_RETRY_SECONDS", 0.0)
    answers = Answers(failures=2)
    await agents._send(answers, "xx", WindowReply("a1", b"k", b"<Response/>", 0.0))
    (sent,) = answers.sent
    assert (sent["key"], sent["value"]) == (b"k", b"<Response/>")
    assert dict(sent["headers"])[headers.CE_ID] == b"a1"


class Stream:
    """Payloads that come, and the acknowledgements."""

    def __init__(self, events):
        self.all, self.acked = events, []
        for event in events:
            event.ack = lambda event=event: self.acked.append(event)

    def noack(self):
        return self

    async def events(self):
        for event in self.all:
            yield event
        while len(self.acked) < len(self.all):
            await agents.asyncio.sleep(0)


def event(kind, value=b"<p/>"):
    given = [(headers.CE_TYPE, kind), (headers.MESSAGE_ID, b"m1")]
    return SimpleNamespace(value=value, message=SimpleNamespace(headers=given, timestamp=0.0))


async def test_payloads_alone_are_answered_and_all_are_acknowledged_in_order():
    answers, asked = Answers(), []

    def decide(content, message, _at):
        asked.append((content, message))
        return (WindowReply("a1", b"k", b"<r/>", 0.0),)

    stream = Stream([event(b"swb.payload"), event(b"swb.notice"), event(b"swb.payload", b"<q/>")])
    await agents._window_agent("xx", answers, decide)(stream)
    assert asked == [(b"<p/>", "m1"), (b"<q/>", "m1")]
    assert len(answers.sent) == 2
    assert stream.acked == stream.all
