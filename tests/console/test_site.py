"""The pages without Kafka: who gets in, who may do what, what is hidden, and what every answer carries."""

import asyncio
import re
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from broker import catalogue as catalogues
from broker import metrics, settings
from broker.console import actions, gate
from broker.console.access import COOKIE, Access
from broker.console.context import Console
from broker.console.document import Facts
from broker.console.live import Tail
from broker.console.site import site
from broker.console.store import Store
from broker.kafka import reading
from broker.kafka.admin.group_state import GroupState
from broker.line.process import explain
from broker.model.errors import Failed, Misconfigured
from broker.paths import data_root
from broker.relay import ids, topics
from broker.relay.records import Consumed, Place
from broker.workbench.samples import read_sample
from tests.console.kit import at, letter, message, records

MAPPINGS = data_root() / "mappings"
CONTENT = read_sample(MAPPINGS / "participants/sg-tradenet/samples/SG-01.xml", MAPPINGS).content
M = "ab" * 16
TOKENS = (
    "# who may come\nolga operator op-token\nrosa reader rd-token\nadam auditor sha256:"
    "954c431eaf3450d2bc81cc1102b43ee5743286f2c8e7f7df404b0de8e5265e2c\n"
)
ORIGIN = Place("swb.sg-invoice-hub.outbox", 1, 5)
LETTER = letter(7, message_id=M, window="pe-vuce")


class World:
    """A console on a read model, with a Kafka that holds one document and takes what is written."""

    def __init__(self, tmp_path, monkeypatch, **given):
        tokens = tmp_path / "tokens"
        tokens.write_text(TOKENS)
        self.settings = settings.load(**{"console_tokens_file": tokens, **given})
        self.store = Store(f"sqlite:///{tmp_path / 'read.sqlite'}")
        self.written, self.topic = [], {ORIGIN: CONTENT}
        catalogue = catalogues.load()
        label = next(d.mapping.id for name, d in catalogue.document_types.items() if name == "invoice/ubl-2.1")
        told = [
            {"event": "received", "message_id": M, "at": at(0), "sender": "sg-invoice-hub", "number": "F-2026-1",
             "document_type": "invoice/ubl-2.1", "mapping": label,
             "sha256": ids.content_id(CONTENT),
             "size": len(CONTENT), "origin": str(ORIGIN), "findings": [],
             "routed": [{"window": "sg-tradenet", "rule": "SG-01"}]},
            {"event": "decided", "message_id": M, "at": at(4), "window": "sg-tradenet", "state": "rejected",
             "standing": "rejected", "verdict": "rejected",
             "findings": [{"code": "SG77", "pointer": "42A/67A/68A#1/23A:137"}]},
        ]  # fmt: skip
        self.store.tracked([(9, n, e) for n, e in enumerate(told)] + list(records(range(120))), topics.TRACKING)
        self.store.buried([dict(LETTER)], topics.DEADLETTER)
        monkeypatch.setattr(reading, "at", self._at)
        monkeypatch.setattr(reading, "write", lambda _settings, written: self.written.extend(written))
        self.access = Access(self.settings)
        self.catalogue = catalogue

    def _at(self, _settings, place):
        if place == Place(topics.DEADLETTER, 0, 7):
            headers = (("swb_destination", b"swb.pe-vuce.inbox"), ("swb_lane", b"2"), ("swb_reason", b"too-large"))
            return Consumed(place.topic, 0, 7, b"k", b"<x/>", headers)
        content = self.topic.get(place)
        if isinstance(content, Exception):
            raise content
        return content and Consumed(place.topic, place.partition, place.offset, b"k", content)

    async def group(self):
        return GroupState(workers=1, lanes_held=4, lanes=4)

    async def client(self, *, signed_in=""):
        feed = SimpleNamespace(trouble="", is_current=True, read=3, behind=0)
        self.tail = Tail(asyncio.get_running_loop())
        facts = Facts(self.settings, self.store, lambda m, _: explain(m, self.catalogue), catalogues.payload_pointers())
        people = {str(code): p for code, p in self.catalogue.participants.items()}
        mappings = [
            {"name": "invoice/ubl-2.1", "title": "UBL invoice", "label": "invoice/ubl-2.1@1+aa", "version": "1+aa"}
        ]
        coverage = {"rows": 3, "unexercised": (), "drops": 1, "undropped": (), "unfilled": ()}
        console = Console(
            self.settings, self.store, feed, self.tail, self.access, people, mappings, facts,
            lambda name: f"<!doctype html><title>{name}</title>", lambda _: coverage, self.group,
        )  # fmt: skip
        client = TestClient(TestServer(site(console)))
        await client.start_server()
        if signed_in:
            async with client.post("/sign-in", data={"token": signed_in}, allow_redirects=False) as answer:
                assert answer.status == 303
        return client


@pytest.fixture
async def world(tmp_path, monkeypatch):
    clients, worlds = [], []

    def made(**given):
        folder = tmp_path / str(len(worlds))
        folder.mkdir()
        found = World(folder, monkeypatch, **given)
        worlds.append(found)
        make = found.client

        async def client(**options):
            clients.append(await make(**options))
            return clients[-1]

        found.client = client
        return found

    yield made
    for client in clients:
        await client.close()
    for one in worlds:
        one.store.close()


async def text(client, path, **options):
    async with client.get(path, **options) as answer:
        return answer.status, await answer.text()


def form_of(page):
    return re.search(r'name="form" value="([0-9a-f]{64})"', page)[1]


PAGES = ["/", "/search", f"/documents/{M}", "/participants", "/participants/pe-vuce", "/participants/pe-sunat",
         "/dead-letters", "/mappings", "/mappings/invoice/ubl-2.1", "/tail"]  # fmt: skip


@pytest.mark.parametrize("path", [*PAGES, "/mappings/invoice/ubl-2.1/report", "/nowhere", "/actions"])
async def test_nobody_sees_anything_before_signing_in(world, path):
    client = await world().client()
    async with client.get(path, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"].partition("?")[0]) == (303, "/sign-in")
        assert M not in await answer.text()


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_whole_and_asks_nobody_else_for_anything(world, path):
    client = await world().client(signed_in="op-token")
    async with client.get(path) as answer:
        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    assert answer.status == 200, page
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"(?:src|href|action)=\"(?!/|#)[^\"]*", page.replace('href="http://www.w3.org', ""))
    assert not re.findall(r"<style|\sstyle=|\son\w+=", page)
    assert page.count("<main") == page.count("</main>") == 1
    assert len(set(re.findall(r'\sid="([^"]+)"', page))) == len(re.findall(r'\sid="', page))


async def test_a_wrong_token_a_forged_cookie_and_a_foreign_name_are_turned_away(world):
    client = await world().client()
    async with client.post("/sign-in", data={"token": "guess"}) as answer:
        assert answer.status == 403
    good = Access(settings.load())
    person = good.signed_in(good.made)
    for cookie in (good.cookie(person), good.cookie(person) + "0", "x.y", "."):
        async with client.get("/", cookies={COOKIE: cookie}, allow_redirects=False) as answer:
            assert answer.status == 303
    status, _ = await text(client, "/sign-in", headers={"Host": "evil.example:8081"})
    assert status == 421


async def test_where_one_goes_on_after_signing_in_is_a_page_of_ours(world):
    client = await world().client()
    for given, expected in (
        ("/search?q=1", "/search?q=1"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil", "/"),
    ):
        async with client.post(
            "/sign-in", params={"next": given}, data={"token": "rd-token"}, allow_redirects=False
        ) as answer:
            assert answer.headers["Location"] == expected
            assert "HttpOnly" in answer.headers["Set-Cookie"]
            assert "SameSite=Strict" in answer.headers["Set-Cookie"]


async def test_a_number_leads_straight_to_its_document(world):
    client = await world().client(signed_in="rd-token")
    async with client.get("/search", params={"q": "F-2026-1"}) as answer:
        assert answer.url.path == f"/documents/{M}"
        page = await answer.text()
    assert "SG77" in page
    assert re.search(r'<a class="point" href="#s(\d+)">line \1 of the document', page)


async def test_values_are_hidden_until_somebody_says_why(world):
    made = world()
    client = await made.client(signed_in="op-token")
    _, page = await text(client, f"/documents/{M}")
    assert "Green coffee beans" not in page
    assert "&lt;cbc:Name&gt;" in page
    async with client.post(f"/documents/{M}/reveal", data={"form": form_of(page), "why": ""}) as answer:
        assert answer.status == 400
    assert not made.written
    async with client.post(f"/documents/{M}/reveal", data={"form": form_of(page), "why": "ticket 7"}) as answer:
        assert "Green coffee beans" in await answer.text()
    (told,) = made.written
    assert (told.topic, told.key) == (topics.TRACKING, M.encode())
    assert b'"event":"operator.revealed"' in told.value
    assert b'"by":"olga"' in told.value
    assert b'"why":"ticket 7"' in told.value
    assert b"coffee" not in told.value
    other = await made.client(signed_in="op-token")
    assert "Green coffee beans" not in (await text(other, f"/documents/{M}"))[1]


@pytest.mark.parametrize(("token", "may"), [("rd-token", False), ("op-token", True)])
async def test_a_reader_reveals_and_acts_on_nothing(world, token, may):
    made = world()
    client = await made.client(signed_in=token)
    _, page = await text(client, "/dead-letters")
    assert ("Send back" in page) == may
    form = {"form": form_of(page), "letter": "0/7", "action": "close", "confirmed": "yes", "why": "known"}
    async with client.post("/dead-letters", data=form) as answer:
        assert answer.status == (200 if may else 403)
    async with client.post(f"/documents/{M}/reveal", data=form) as answer:
        assert answer.status == (200 if may else 403)
    assert bool(made.written) == may
    assert (await text(client, "/actions"))[0] == 403


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}])
async def test_a_form_from_elsewhere_does_nothing(world, headers):
    made = world()
    client = await made.client(signed_in="op-token")
    _, page = await text(client, "/dead-letters")
    form = {
        "form": form_of(page) if headers else "0" * 64,
        "letter": "0/7",
        "action": "close",
        "confirmed": "yes",
        "why": "x",
    }
    async with client.post("/dead-letters", data=form, headers=headers) as answer:
        assert answer.status == 403
    assert not made.written


async def test_a_redrive_is_shown_before_it_is_done_and_is_told(world):
    made = world()
    client = await made.client(signed_in="op-token")
    form = {"form": form_of((await text(client, "/dead-letters"))[1]), "letter": "0/7", "action": "redrive"}
    async with client.post("/dead-letters", data=form) as answer:
        assert "Nothing has been sent yet" in await answer.text()
    assert not made.written
    async with client.post("/dead-letters", data={**form, "confirmed": "yes", "why": "inbox made larger"}) as answer:
        assert "1 sent back on their way" in await answer.text()
    back, told = made.written
    assert (back.topic, back.value, back.header("swb_redriven_by")) == (topics.retry("pe-vuce"), b"<x/>", "olga")
    assert b'"event":"operator.redrove"' in told.value
    assert actions.name_of(LETTER) == "0/7"


async def test_content_that_is_gone_or_changed_is_said(world):
    made = world()
    client = await made.client(signed_in="op-token")
    for content, said in (
        (None, "no longer at its origin"),
        (b"<other/>", "no longer at its origin"),
        (Failed("no answer"), "cannot be read"),
    ):
        made.topic[ORIGIN] = content
        status, page = await text(client, f"/documents/{M}")
        assert status == 200
        assert said in page
        assert "rejected" in page


async def test_a_proxy_says_who_somebody_is_and_nobody_else_does(world):
    client = await world(console_user_header="X-User", console_role_header="X-Role").client()
    _, page = await text(client, "/", headers={"X-User": "paula", "X-Role": "auditor"})
    assert "paula" in page
    assert (await text(client, "/actions", headers={"X-User": "paula", "X-Role": "auditor"}))[0] == 200
    assert (await text(client, "/actions", headers={"X-User": "paula", "X-Role": "emperor"}))[0] == 403
    elsewhere = await world(console_user_header="X-User", console_proxies="192.0.2.1").client()
    async with elsewhere.get("/", headers={"X-User": "paula"}, allow_redirects=False) as answer:
        assert answer.status == 303


async def test_the_live_tail_says_what_it_left_out_and_shows_no_identifiers(world):
    made = world()
    client = await made.client(signed_in="rd-token")
    async with client.get("/tail/events") as answer:
        for n in range(700):
            made.tail._hand_on(
                {"event": "received", "at": at(n), "message_id": message(n), "declarant": "20100047218", "number": "F9"}
            )
        told = ""
        while "left-out" not in told:
            told += (await answer.content.readline()).decode()
        made.tail.end()
    assert told.count("data: {") == 500
    assert "20100047218" not in told
    assert "F9" not in told


async def test_prometheus_is_told_what_only_the_read_model_knows(world):
    client = await world().client()
    status, said = await text(client, "/metrics")
    families = {f.name: f for f in text_string_to_metric_families(said)}
    assert status == 200
    assert {m.name.removesuffix("_total") for m in metrics.CONSOLE} == set(families)
    assert sum(s.value for s in families["swb_answers_outstanding"].samples) > 0
    assert [(s.labels["reason"], s.value) for s in families["swb_deadletters_open"].samples] == [("too-large", 1)]


@pytest.mark.parametrize(
    ("content", "says"), [("olga", "line 1"), ("olga emperor t", "line 1"), ("\n# nobody\n", "names nobody")]
)
def test_a_file_of_tokens_that_is_wrong_is_told_without_a_token(tmp_path, content, says):
    file = tmp_path / "tokens"
    file.write_text(content)
    with pytest.raises(Misconfigured, match=says) as error:
        Access(settings.load(console_tokens_file=file))
    assert "emperor t" not in str(error.value)


async def test_what_is_not_there_is_said_and_a_fault_of_ours_shows_nothing(world, monkeypatch):
    made = world()
    client = await made.client(signed_in="op-token")
    for path in ("/documents/zz", "/participants/nobody", "/mappings/a/b", "/assets/x", "/assets/..%2Fsite.py"):
        status, page = await text(client, path)
        assert status == 404, path
        assert "Traceback" not in page
    monkeypatch.setattr(made.store, "rows", lambda _: 1 / 0)
    said = []
    monkeypatch.setattr(gate.logger, "exception", lambda event, **fields: said.append((event, fields)))
    status, page = await text(client, "/")
    assert status == 500
    assert "ZeroDivisionError" not in page
    assert said == [("console.failed", {"path": "/"})]


async def test_what_a_document_says_is_never_markup(world):
    made = world()
    evil = '"><script>alert(1)</script>'
    told = {"event": "refused", "message_id": "cd" * 16, "at": at(1), "sender": evil, "number": evil, "declarant": evil,
            "document_type": evil, "findings": [{"code": evil, "pointer": evil}]}  # fmt: skip
    made.store.tracked([(8, 0, told)], topics.TRACKING)
    client = await made.client(signed_in="op-token")
    for path in ("/", "/search", "/documents/" + "cd" * 16, f"/search?sender={evil}", f"/search?q={evil}"):
        assert "<script>alert" not in (await text(client, path))[1]
