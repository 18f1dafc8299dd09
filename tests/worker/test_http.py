import socket

import pytest
from aiohttp.test_utils import TestClient, TestServer

from broker import metrics
from broker.metrics import Meter
from broker.model.errors import Misconfigured
from broker.worker.health import Health, check_port
from broker.worker.http import HealthPort


@pytest.fixture
async def ask():
    """What a path answers for a given health: status and text."""
    clients = []
    meter = Meter()
    meter.add(metrics.RECORDS, 42)

    async def asked(path, health):
        client = TestClient(TestServer(HealthPort("127.0.0.1", 0, lambda: health, meter).application()))
        clients.append(client)
        await client.start_server()
        async with client.get(path) as response:
            return response.status, await response.text()

    yield asked
    for client in clients:
        await client.close()


WELL = Health(is_alive=True, is_ready=True, lanes=(0, 3), moved=42)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_worker_that_works_is_alive_and_ready(ask, path):
    assert await ask(path, WELL) == (200, '{"alive": true, "ready": true, "lanes": [0, 3], "moved": 42}')


async def test_a_worker_without_a_share_is_alive_and_not_ready(ask):
    idle = Health(is_alive=True, is_ready=False)
    assert (await ask("/healthz", idle))[0] == 200
    assert (await ask("/readyz", idle))[0] == 503


async def test_a_worker_before_which_everything_waits_is_not_alive(ask):
    assert (await ask("/healthz", Health(is_alive=False, is_ready=True, lanes=(1,))))[0] == 503


async def test_numbers_for_prometheus(ask):
    status, text = await ask("/metrics", WELL)
    assert status == 200
    assert "swb_records_moved_total 42.0" in text
    assert "swb_lanes_held 2.0" in text
    assert "swb_ready 1.0" in text


def test_a_port_that_is_taken_is_told_before_the_worker_starts():
    with socket.create_server(("127.0.0.1", 0)) as other:
        host, port = other.getsockname()
        with pytest.raises(Misconfigured, match=rf"The health port 127\.0\.0\.1:{port} cannot be served: Address"):
            check_port(host, port)
    check_port(host, port)
    with pytest.raises(Misconfigured, match=r"nowhere\.invalid:1 cannot be served"):
        check_port("nowhere.invalid", 1)
