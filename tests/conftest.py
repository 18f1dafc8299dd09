"""What every test may ask for: published schemas and samples, and a Kafka to speak to."""

import os
from pathlib import Path

import pytest

from broker.embedded import EmbeddedKafka
from broker.jars import Unavailable, jars


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of published schemas and samples that ``SWB_REFERENCE`` names."""
    named = os.environ.get("SWB_REFERENCE")
    if not named:
        pytest.skip("SWB_REFERENCE is not set: it names a folder of published schemas and samples to compare with")
    folder = Path(named)
    if not folder.is_dir():
        pytest.fail(f"SWB_REFERENCE names {folder}, and there is no such folder")
    return folder


@pytest.fixture(scope="session")
def kafka_bootstrap():
    """Addresses of a Kafka: ``SWB_BOOTSTRAP``, else the one that comes with the package, started once."""
    named = os.environ.get("SWB_BOOTSTRAP")
    if named:
        yield named
        return
    with embedded() as kafka:
        yield kafka.bootstrap


@pytest.fixture(scope="session")
def cluster3():
    """Three nodes, each of which a test may stop, kill and start again; it leaves them all running."""
    with embedded(nodes=3) as kafka:
        yield kafka


def embedded(**options):
    """The package's own Kafka as a context manager; skips where it cannot be had, unless ``SWB_REQUIRE_KAFKA``."""
    try:
        jars()
    except Unavailable as error:
        if os.environ.get("SWB_REQUIRE_KAFKA"):
            pytest.fail(f"SWB_REQUIRE_KAFKA is set: {error}")
        pytest.skip(str(error))
    return EmbeddedKafka(**options)
