"""A headless Chromium driven over its own protocol: go somewhere, ask the page, click, type, take its picture."""

import asyncio
import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import aiohttp
import pytest

_FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-port=0", "--no-proxy-server",
]  # fmt: skip


def chromium() -> str:
    """Where it is; skips where there is none, unless ``SWB_REQUIRE_BROWSER``."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("SWB_REQUIRE_BROWSER"):
            pytest.fail("SWB_REQUIRE_BROWSER is set and there is no chromium")
        pytest.skip("there is no chromium on this machine")
    return found


class Page:
    """One page, as an async context: what it starts ends with it."""

    def __init__(self):
        self._numbers = itertools.count(1)
        self._waiting = {}
        self.asked, self.said = [], []
        """Addresses that the page asked for; what it wrote to its console, and errors."""

    async def __aenter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="swb-browser-", ignore_cleanup_errors=True)
        command = [chromium(), *_FLAGS, f"--user-data-dir={self._folder.name}", "about:blank"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        file, until = Path(self._folder.name) / "DevToolsActivePort", time.monotonic() + 30
        while not file.exists() or len(file.read_text().splitlines()) < 2:
            assert self._process.poll() is None
            assert time.monotonic() < until
            await asyncio.sleep(0.05)
        port = file.read_text().splitlines()[0]
        self._http = aiohttp.ClientSession()
        async with self._http.get(f"http://127.0.0.1:{port}/json") as answer:
            target = next(t for t in await answer.json() if t["type"] == "page")
        self._socket = await self._http.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0)
        self._hearing = asyncio.create_task(self._hear())
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.send(f"{domain}.enable")
        return self

    async def __aexit__(self, *_):
        self._hearing.cancel()
        await self._socket.close()
        await self._http.close()
        self._process.terminate()
        self._process.wait(20)
        self._folder.cleanup()

    async def _hear(self):
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._waiting.pop(told["id"]).set_result(told)
            elif told["method"] == "Network.requestWillBeSent":
                self.asked.append(told["params"]["request"]["url"])
            elif told["method"] == "Log.entryAdded":
                self.said.append(told["params"]["entry"]["text"])
            elif told["method"] == "Runtime.exceptionThrown":
                self.said.append(told["params"]["exceptionDetails"]["text"])

    async def send(self, method, **parameters):
        number = next(self._numbers)
        self._waiting[number] = future = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        told = await asyncio.wait_for(future, 30)
        assert "error" not in told, told
        return told["result"]

    async def ask(self, expression):
        """The value of an expression in the page."""
        given = {"expression": expression, "returnByValue": True, "awaitPromise": True, "userGesture": True}
        told = await self.send("Runtime.evaluate", **given)
        assert "exceptionDetails" not in told, (expression, told["exceptionDetails"])
        return told["result"].get("value")

    async def until(self, expression, seconds=20):
        """The first true value of an expression; pages may change meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if found := await self.ask(expression):
                    return found
            except AssertionError:
                pass
            await asyncio.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {expression}\n{await self.ask('document.body.innerText')}")

    async def go(self, address):
        await self.send("Page.navigate", url=address)
        await self.until(
            f"location.href !== 'about:blank' && document.readyState === 'complete' && {json.dumps(address)} !== ''"
        )

    async def click(self, selector):
        """A click on the first such element, by the mouse."""
        await self._mouse(selector, "mouseMoved", "mousePressed", "mouseReleased")

    async def point(self, selector):
        await self._mouse(selector, "mouseMoved")

    async def _mouse(self, selector, *kinds):
        quoted = json.dumps(selector)
        await self.ask(f"document.querySelector({quoted}).scrollIntoView({{block: 'center'}})")
        x, y = await self.ask(
            f"(() => {{ const b = document.querySelector({quoted}).getClientRects()[0];"
            " return [b.x + Math.min(b.width / 2, 20), b.y + b.height / 2] })()"
        )
        for kind in kinds:
            button = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            await self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button)

    async def type(self, selector, text):
        await self.ask(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.send("Input.insertText", text=text)

    async def press(self, key):
        for kind in ("keyDown", "keyUp"):
            code = {"Enter": 13, "ArrowDown": 40, "Tab": 9, "/": 191}.get(key, 0)
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            text |= {"text": "/"} if key == "/" and kind == "keyDown" else {}
            await self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    async def size(self, width, height):
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def scheme(self, name):
        await self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    async def picture(self, file):
        told = await self.send("Page.captureScreenshot", format="png")
        Path(file).write_bytes(base64.b64decode(told["data"]))
