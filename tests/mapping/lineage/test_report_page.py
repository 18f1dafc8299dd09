"""The report's page in a real browser: it reads well at every width, and asks nobody for anything."""

import functools
import json
import os
import re
import shutil
import subprocess
import threading
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from broker import catalogue

FORMAT = "origin/aladi-cod-1.8"
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
]  # fmt: skip
LOOK = """<!doctype html><iframe id="frame" src="page.html" style="width:{width}px;height:900px"></iframe>
<pre id="found"></pre><script>
frame.onload = () => {{
  const page = frame.contentDocument, root = page.documentElement;
  const tables = [...page.querySelectorAll("table.elements")], scrolls = [...page.querySelectorAll(".scroll")];
  const texts = document.createTreeWalker.call(page, page.body, NodeFilter.SHOW_TEXT);
  const broken = [];
  for (let node = texts.nextNode(); node; node = texts.nextNode())
    for (const word of node.data.matchAll(/\\S+/g)) {{
      const range = page.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(r => r.top)).size > 1) broken.push(word[0]);
    }}
  found.textContent = JSON.stringify({{
    heading: page.querySelector("h1").textContent,
    sections: [...page.querySelectorAll("h2")].map(e => e.textContent),
    classes: [...page.querySelectorAll("h3")].map(e => e.textContent),
    rows: tables.reduce((sum, table) => sum + table.tBodies[0].rows.length, 0),
    longest: Math.max(...[...page.querySelectorAll("table.elements td:first-child")].map(e => e.textContent.length)),
    asked: frame.contentWindow.performance.getEntriesByType("resource").map(e => e.name),
    hidden: root.scrollWidth - root.clientWidth,
    reachable: scrolls.every(e => page.defaultView.getComputedStyle(e).overflowX === "auto"),
    broken,
  }});
}};
</script>"""


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def browser():
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("SWB_REQUIRE_BROWSER"):
            pytest.fail("SWB_REQUIRE_BROWSER is set and there is no chromium")
        pytest.skip("there is no chromium on this machine")
    return found


@pytest.fixture
def site(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280, 1900])
def test_the_page_reads_well_and_asks_nobody(browser, site, tmp_path, swb, width):
    code, page, _ = swb("report", "--html", FORMAT)
    assert code == 0
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    (tmp_path / "look.html").write_text(LOOK.format(width=width), encoding="utf-8")
    shown = subprocess.run(
        [browser, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000", "--dump-dom",
         f"{site}/look.html"],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip
    found = json.loads(unescape(re.search(r'<pre id="found">(.*?)</pre>', shown, re.DOTALL)[1]))
    assert found["heading"] == "ALADI digital certificate of origin 1.8"
    assert found["sections"] == ["Elements", "Left out on purpose", "Rules", "Code lists and editions"]
    assert "GoodsShipment/Importer/Address" in found["classes"]
    assert found["rows"] > 50
    assert found["asked"] == []
    assert (found["hidden"], found["reachable"]) == (0, True), found
    assert found["broken"] == [], "a word goes on in the next line"


@pytest.mark.browser
@pytest.mark.parametrize(("language", "heading"), [("en", "Elements"), ("es", "Elementos")])
def test_the_page_prints(browser, tmp_path, swb, language, heading):
    code, page, _ = swb("report", "--html", "--language", language, FORMAT)
    assert code == 0
    assert f"<h2>{heading}</h2>" in page
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    paper = tmp_path / "page.pdf"
    subprocess.run(
        [browser, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--no-pdf-header-footer",
         f"--print-to-pdf={paper}", (tmp_path / "page.html").as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip
    assert paper.read_bytes().startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) > 3


def test_the_page_carries_the_digest_of_the_records(swb):
    _, page, _ = swb("report", "--html", FORMAT)
    record = catalogue.load().document_types[FORMAT].mapping.id
    assert record in re.sub(r"<[^>]*>", "", page)
    assert "iso-3166-1" in page
