"""The console in a browser, on documents that went over the real Kafka: found, followed to the fault, put right."""

import asyncio
import json
import os
import re
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from broker.cli._scene import read_scene
from broker.kafka.reading import read, write
from broker.log.events import COMMON, EVENTS
from broker.relay import headers, topics
from broker.relay.records import Produced
from tests.support.browser import Page, chromium
from tests.support.window_kit import MAPPINGS, House

pytestmark = [pytest.mark.browser, pytest.mark.kafka]

PICTURES = os.environ.get("SWB_PICTURES", "")
"""A folder for the pictures of the README; empty: none are taken."""
TOKENS = "olga operator op-token\nadam auditor au-token\n"


@pytest.fixture(scope="module")
def house(fresh_node, tmp_path_factory):
    """Kafka with a worker, the mock windows, the console, and the documents of the demo on their way."""
    chromium()
    folder = tmp_path_factory.mktemp("console")
    (folder / "tokens").write_text(TOKENS)
    given = {"SWB_CONSOLE_TOKENS_FILE": str(folder / "tokens"), "SWB_CONSOLE_DATABASE": f"sqlite:///{folder / 'read'}"}
    with socket.create_server(("127.0.0.1", 0)) as probe:
        given["SWB_HEALTH_PORT"] = str(probe.getsockname()[1])
    with House(fresh_node.bootstrap) as made, pytest.MonkeyPatch.context() as environment:
        for name, value in given.items():
            environment.setenv(name, value)
        made.run("console", ["console", "--port", "0"], fresh_node.bootstrap)
        made.worker()
        made.windows()
        made.sent = read_scene(MAPPINGS, "console")
        write(made.settings, [one.record for one in made.sent])
        log = next(log for name, _, log in made._processes if name == "console")
        made.health = f"http://127.0.0.1:{given['SWB_HEALTH_PORT']}"
        made.address = made.until(lambda: re.search(r"^(http://[\d.:]+)/$", log.read_text(), re.MULTILINE))[1]
        yield made


@pytest.fixture(scope="module")
async def page(house):
    async with Page() as made:
        await made.size(1360, 900)
        await made.go(f"{house.address}/search")
        await made.type("input[name=token]", "op-token")
        await made.press("Enter")
        await made.until("location.pathname === '/search'")
        yield made
        assert [a for a in made.asked if not a.startswith((house.address, "about:", "data:"))] == []
        assert [said for said in made.said if "Password forms" not in said] == []


async def picture(page, name):
    if PICTURES:
        await asyncio.sleep(0.3)
        await page.picture(Path(PICTURES) / f"{name}.png")


async def decided(page, house):
    """Come back when every document of the demo has met its end."""
    await page.until(
        f"fetch('/search?state=open').then(a => a.text()).then(t => !t.includes('<tbody>')) && "
        f"fetch('/search').then(a => a.text()).then(t => t.split('/documents/').length - 1 >= {len(house.sent)})",
        60,
    )
    await page.go(f"{house.address}/")
    await page.until("document.querySelector('.tile b').textContent > 0")
    await page.until("fetch('/search?state=open').then(a => a.text()).then(t => t.includes('Nothing was found'))", 60)


async def test_a_document_is_found_by_its_number_and_followed_to_its_fault(page, house):
    await decided(page, house)
    await page.until("document.querySelector('.well') !== null", 40)
    await picture(page, "now")
    await page.go(f"{house.address}/search?state=mixed")
    number = await page.ask("document.querySelector('tbody td:nth-child(3)').textContent")
    await page.ask("document.activeElement.blur()")
    await page.press("/")
    await page.until("document.activeElement.matches('.quick input')")
    await page.send("Input.insertText", text=number)
    await page.press("Enter")
    await page.until("location.search.startsWith('?q=') || location.pathname.startsWith('/documents/')")
    if await page.ask("location.pathname === '/search'"):  # several documents have that number
        await picture(page, "search")
        await page.ask(
            "[...document.querySelectorAll('tbody tr')].find(r => r.querySelector('.mixed'))"
            ".querySelector('a').id = 'it'"
        )
        await page.click("#it")
        await page.until("location.pathname.startsWith('/documents/')")
    assert number in await page.ask("document.querySelector('h1').textContent")
    await picture(page, "document")
    line = await page.ask("document.querySelector('a.point').textContent.match(/\\d+/)[0]")
    await page.click("a.point")
    await page.until(f"document.querySelector('#s{line}.lit') !== null")
    assert await page.ask(f"document.querySelector('#s{line} b.mark').textContent")
    assert await page.ask("document.querySelectorAll('[aria-label=\"The payload\"] .v.lit').length") >= 1
    await picture(page, "finding")


async def test_a_value_lights_up_where_it_came_from_and_back_by_mouse_and_by_keyboard(page, house):
    lit = "[...document.querySelectorAll('.text')].map(t => t.querySelectorAll('.v.lit').length)"
    await page.press("Escape")
    await page.ask("document.querySelector('h2').click(), document.querySelector('[data-sides]').click()")
    both = (
        "[...document.querySelectorAll('{side} .v[data-k]')].find(v => "
        "document.querySelector(`{other} .v[data-k~=\"${{v.dataset.k.split(' ')[0]}}\"]`)).id = '{name}'"
    )
    source, payload = '[aria-label="The document as sent"]', '[aria-label="The payload"]'
    await page.ask(both.format(side=payload, other=source, name="one"))
    await page.point("#one")
    await page.until(f"{lit}.every(n => n > 0)")
    await page.ask(both.format(side=source, other=payload, name="other"))
    await page.click("#other")
    assert await page.ask("document.querySelector('#other').classList.contains('lit')")
    await page.until(f"{lit}.every(n => n > 0)")
    await page.ask(f"document.querySelector('{source} .text').focus()")
    await page.press("ArrowDown")
    await page.until(f"document.querySelector('{source} .v.lit') === document.activeElement")


async def test_values_are_hidden_until_somebody_says_why_and_the_auditor_sees_it(page, house):
    hidden = "document.querySelector('.text').textContent"
    assert "•••" in await page.ask(hidden)
    before = await page.ask("location.pathname")
    await page.type("input[name=why]", "ticket 7")
    await page.press("Enter")
    await page.until(f"location.hash === '#content' && !{hidden}.includes('•••')")
    await picture(page, "revealed")
    events = house.until(
        lambda: [
            json.loads(r.content) for r in read(house.settings, topics.TRACKING) if b"operator.revealed" in r.content
        ]
    )
    assert [(e["by"], e["why"], e["message_id"]) for e in events] == [("olga", "ticket 7", before.rpartition("/")[2])]


async def test_a_dead_letter_is_sent_back_once_its_plan_was_seen(page, house):
    write(
        house.settings,
        [Produced(topics.outbox("pe-vuce"), b"k", b"no answer at all", headers.encoded({"ce_type": "swb.answer"}))],
    )
    await page.go(f"{house.address}/dead-letters")
    await page.until("fetch(location.href).then(a => a.text()).then(t => t.includes('name=\"letter\"'))")
    await page.go(f"{house.address}/dead-letters")
    await picture(page, "dead-letters")
    await page.click("input[name=letter]")
    await page.click("button[value=redrive]")
    await page.until("document.querySelector('.plan') !== null")
    assert not [r for r in read(house.settings, topics.INTAKE) if r.header(headers.REDRIVE_OF)]
    await page.type(".plan input[name=why]", "tried again")
    await page.press("Enter")
    await page.until("document.querySelector('.well')?.textContent.includes('1 sent back')")
    await page.until("fetch('/dead-letters?state=redriven').then(a => a.text()).then(t => t.includes('olga'))")
    (back,) = [r for r in read(house.settings, topics.INTAKE) if r.header(headers.REDRIVE_OF)]
    assert back.header(headers.REDRIVEN_BY) == "olga"


async def test_the_live_tail_under_load_loses_nothing_in_silence(page, house):
    await page.go(f"{house.address}/tail")
    await page.until("/^\\d+ events/.test(document.querySelector('[data-status]').textContent)")
    first = int((await page.ask("document.querySelector('[data-status]').textContent")).split()[0])
    event = {"v": 1, "event": "overdue", "at": "2026-06-01T00:00:00Z", "message_id": "", "window": "pe-vuce"}
    number = 3000
    write(house.settings, [Produced(topics.TRACKING, b"%d" % n, json.dumps(event).encode()) for n in range(number)])
    counted = "Number(document.querySelector('[data-status]').textContent.split(' ')[0])"
    await page.until(f"{counted} >= {first + number}", 30)
    shown = await page.ask("[...document.querySelectorAll('.tail tbody tr')].filter(r => r.className !== 'gap').length")
    assert shown <= 500
    assert "left out" in await page.ask("document.querySelector('[data-status]').textContent")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1360])
async def test_pages_read_well_at_every_width_in_light_and_dark(page, house, width, scheme):
    await page.scheme(scheme)
    await page.size(width, 900)
    (message,) = await page.ask(
        "fetch('/search?state=mixed').then(a => a.text()).then(t => t.match(/documents\\/\\w+/))"
    )
    for path in ("/", "/search", "/participants", "/participants/pe-vuce", "/dead-letters", "/mappings", f"/{message}"):
        await page.go(house.address + path)
        await page.until(f"location.pathname === '{path}' && document.readyState === 'complete'")
        over = await page.ask("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over <= 0, path
        faint = await page.ask(CONTRAST)
        assert faint == [], path
        unnamed = await page.ask(
            "[...document.querySelectorAll('a, button, input:not([type=hidden]), select')]"
            ".filter(e => !(e.textContent.trim()"
            " || e.ariaLabel || e.labels?.length)).map(e => e.outerHTML)"
        )
        assert unnamed == [], path
        if path in ("/", f"/{message}"):
            await picture(page, f"{'document' if message in path else 'now'}-{width}-{scheme}")
    await page.size(1360, 900)
    await page.scheme("light")


CONTRAST = """(() => {
  const numbers = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => { const f = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = numbers(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll('main *, header *, footer')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    if (e.closest('svg, .ln') || !e.offsetParent) continue;
    const a = light(numbers(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push([e.tagName, e.className, e.textContent.slice(0, 30), ratio.toFixed(2)]);
  }
  return bad.slice(0, 5);
})()"""
"""Texts that stand out less than 4.5 to 1 (WCAG 2.2, 1.4.3)."""


def test_every_line_that_was_logged_is_a_declared_event_with_declared_fields(house):
    wrong, seen = [], set()
    for _, _, log in house._processes:
        for line in log.read_text(encoding="utf-8").splitlines():
            if not line.startswith("{"):
                continue
            told = json.loads(line)
            if not told["logger"].startswith("broker.") or told["logger"].startswith("broker.kafka.faust"):
                continue
            event = EVENTS.get(told["event"])
            seen.add(told["event"])
            if event is None or set(told) - COMMON - event.fields:
                wrong.append(told)
    assert wrong == []
    assert {"message.accepted", "message.refused", "message.answered", "lane.opened", "console.action"} <= seen


def test_the_log_says_one_line_for_each_document_and_nothing_of_its_content(house):
    log = next(log for name, _, log in house._processes if name == "worker")
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    outcomes = [
        t
        for t in lines
        if t["event"] in {f"message.{o}" for o in ("accepted", "refused", "repeated", "conflict", "failed")}
    ]
    by_message = {t["message_id"]: t for t in outcomes}
    assert len(outcomes) == len(by_message) == len(house.sent)
    for one in house.sent:
        told = by_message[one.message_id]
        assert told["size"] == len(one.content)
        assert 0 <= told["milliseconds"] < 120_000
        assert told["worker"]


def status(address):
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def lines_of(house, name):
    log = next(log for known, _, log in house._processes if known == name)
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]


async def test_a_kafka_that_is_away_is_seen_and_said_once_and_so_is_that_it_is_back(page, house, fresh_node):
    assert status(f"{house.health}/readyz") == 200
    before = {name: len(lines_of(house, name)) for name in ("worker", "console")}
    fresh_node.kill_node(1)
    await page.go(f"{house.address}/")
    await page.until("document.querySelector('.alarm')?.textContent.includes('Kafka')", 30)
    house.until(lambda: status(f"{house.health}/readyz") == 503, 30)
    assert status(f"{house.health}/healthz") == 200
    assert "swb_ready 0.0" in urllib.request.urlopen(f"{house.health}/metrics").read().decode()
    await asyncio.sleep(3)
    fresh_node.start_node(1)
    house.until(lambda: "kafka.back" in [told["event"] for told in lines_of(house, "worker")], 60)
    house.until(lambda: status(f"{house.health}/readyz") == 200, 60)
    await page.until("!/Kafka|lanes are/.test(document.querySelector('.alarm')?.textContent)", 60)
    said = {name: [told["event"] for told in lines_of(house, name)[number:]] for name, number in before.items()}
    assert [event for event in said["worker"] if event.startswith("kafka.") and event != "kafka.waiting"] == [
        "kafka.away",
        "kafka.back",
    ]
    assert {name: len(events) < 100 for name, events in said.items()} == {"worker": True, "console": True}
