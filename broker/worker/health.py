"""How a worker fares, and whether there is a port on which it may say so."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from broker.model.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Health:
    """How a worker fares."""

    is_alive: bool
    """A message moved lately, or nothing waits."""
    is_ready: bool
    """It has lanes and all of them work; a worker without a share is idle, alive and not ready."""
    lanes: tuple[int, ...] = ()
    moved: int = 0


def check_port(host: str, port: int) -> None:
    """Misconfigured when nothing can be served there."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Misconfigured(f"The health port {host}:{port} cannot be served: {error.strerror or error}") from error
