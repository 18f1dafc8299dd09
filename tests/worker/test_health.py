"""Whether there is a port on which a worker may say how it fares."""

import socket

import pytest

from broker.model.errors import Misconfigured
from broker.worker.health import check_port


def test_a_free_port_is_taken_without_a_word_and_stays_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)


def test_a_port_that_is_served_or_a_host_that_is_none_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"The health port 127.0.0.1:{port} cannot be served"):
            check_port("127.0.0.1", port)
    with pytest.raises(Misconfigured, match="cannot be served"):
        check_port("192.0.2.1", 0)  # RFC 5737: an address of nobody's
