"""The health port of a worker: alive, ready, and the numbers for Prometheus. On loopback unless told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from broker import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.metrics import Meter
    from broker.worker.health import Health

_STOP_SECONDS = 1.0


class HealthPort:
    """``/healthz`` and ``/readyz`` say 200 or 503 with the same few words of JSON; ``/metrics`` the numbers."""

    def __init__(self, host: str, port: int, health: Callable[[], Health], meter: Meter) -> None:
        self._host = host
        self._port = port
        self._health = health
        self._meter = meter
        self._runner: web.AppRunner | None = None

    def application(self) -> web.Application:
        """The pages."""
        app = web.Application()
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def open(self) -> None:
        """Serve until closed; OSError when the port is taken."""
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=_STOP_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _alive(self, _request: web.Request) -> web.Response:
        health = self._health()
        return _said(health, 200 if health.is_alive else 503)

    async def _ready(self, _request: web.Request) -> web.Response:
        health = self._health()
        return _said(health, 200 if health.is_ready else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        health = self._health()
        self._meter.set(metrics.READY, float(health.is_ready))
        self._meter.set(metrics.ALIVE, float(health.is_alive))
        self._meter.set(metrics.LANES, len(health.lanes))
        text = metrics.exposition(self._meter, metrics.WORKER)
        return web.Response(body=text, content_type="text/plain", charset="utf-8")


def _said(health: Health, status: int) -> web.Response:
    told = {"alive": health.is_alive, "ready": health.is_ready, "lanes": health.lanes, "moved": health.moved}
    return web.json_response(told, status=status)
