"""What one record may cause. (What it may have besides its content: ``broker.relay.unreadable``.)"""

from __future__ import annotations

CAUSED_RECORDS = 20_000
CAUSED_BYTES = 256 << 20
"""Of all that is written because of one record: a document of 16 MB for a dozen windows is well below."""


class OverBudget(Exception):
    """One record would cause more than any may."""
