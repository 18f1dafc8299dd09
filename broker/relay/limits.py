"""What one record may have and may cause. Whatever is over a limit is refused or kept aside, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.model.findings import Finding

if TYPE_CHECKING:
    from broker.relay.records import Consumed

KEY_BYTES = 1024
HEADER_BYTES = 16 * 1024
HEADERS = 100
"""Of what a participant sends: its key, the names and values of its headers, and how many there are."""
CAUSED_RECORDS = 20_000
CAUSED_BYTES = 256 << 20
"""Of all that is written because of one record: a document of 16 MB for a dozen windows is well below."""


class OverBudget(Exception):
    """One record would cause more than any may."""


def faults(record: Consumed) -> tuple[Finding, ...]:
    """What is too large about a record that a participant sent, besides its content."""
    found = []
    if record.key is not None and len(record.key) > KEY_BYTES:
        found.append(
            Finding("message.key-too-long", f"The key has {len(record.key):,} bytes; at most {KEY_BYTES:,} are taken.")
        )
    size = sum(len(name) + len(value or b"") for name, value in record.headers)
    if len(record.headers) > HEADERS or size > HEADER_BYTES:
        text = (
            f"There are {len(record.headers):,} headers of {size:,} bytes; at most {HEADERS} of {HEADER_BYTES:,} bytes "
            "are taken."
        )
        found.append(Finding("message.headers-too-large", text))
    return tuple(found)
