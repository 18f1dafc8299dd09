"""The read model holds what tracking holds, and can be asked by index."""

from broker.console import tables


def test_no_table_has_a_place_for_content():
    columns = {column.name for table in tables.metadata.tables.values() for column in table.columns}
    assert not columns & {"content", "payload", "message"}


def test_what_a_page_asks_for_has_an_index():
    named = {index.name for table in tables.metadata.tables.values() for index in table.indexes}
    assert {"documents_at", "deliveries_window", "identifiers_message", "findings_code", "events_message"} <= named
