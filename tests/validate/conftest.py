import pytest

from broker.validate import Schema
from tests.support.note_kit import NOTE


@pytest.fixture(scope="session")
def schema(tmp_path_factory) -> Schema:
    file = tmp_path_factory.mktemp("note") / "note.xsd"
    file.write_text(NOTE)
    return Schema(file)
