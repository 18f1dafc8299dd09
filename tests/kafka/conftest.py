"""Every test in this folder needs a Kafka; names are drawn anew for each, so that none has to clean up."""

import itertools
import os
from pathlib import Path

import pytest

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.kafka)


@pytest.fixture
def unique():
    """A name nobody else uses on this cluster, for topics and groups: ``unique("orders")``."""

    def name(stem: str) -> str:
        return f"{stem}-{os.getpid()}-{next(_numbers)}"

    return name
