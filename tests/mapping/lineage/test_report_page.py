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

FORMAT = "origin/aladi-cod-1.8"
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
]  # fmt: skip
LOOK = """<!doctype html><iframe id="frame" src="page.html" style="width:{width}px;height:900px"></iframe>
<pre id="found"></pre><script>
frame.onload = () => {{
  const page = frame.contentDocument, root = page.documentElement;
  const table = page.querySelector("table"), scroll = table.parentElement;
  found.textContent = JSON.stringify({{
    heading: page.querySelector("h1").textContent,
    sections: [...page.querySelectorAll("h2")].map(e => e.textContent),
    columns: table.tHead.rows[0].cells.length,
    rows: table.tBodies[0].rows.length,
    asked: frame.contentWindow.performance.getEntriesByType("resource").map(e => e.name),
    hidden: root.scrollWidth - root.clientWidth,
    reachable: scroll.scrollWidth <= scroll.clientWidth
      || page.defaultView.getComputedStyle(scroll).overflowX === "auto",
    cut: [...table.querySelectorAll("td")].filter(e => e.scrollWidth > e.clientWidth + 1).length,
    narrowest: Math.min(...[...table.rows[0].cells].map(e => e.clientWidth)),
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
    assert found["sections"] == ["Elements", "Left out on purpose", "Rules"]
    assert (found["columns"], found["rows"] > 50) == (11, True)
    assert found["asked"] == []
    assert (found["hidden"], found["cut"], found["reachable"]) == (0, 0, True), found
    assert found["narrowest"] >= 30
