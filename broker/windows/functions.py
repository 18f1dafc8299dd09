"""The functions a profile's tests may call besides those of XPath 1.0."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

from broker.content.xpath_functions import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from broker.model.outcomes import Catalogue


def functions(catalogue: Catalogue) -> dict[tuple[None, str], Callable[..., Any]]:
    """What every rule may call; ``valid-id``, ``in-list``, ``matches``, ``days``, bound to code lists and numberings.

    Each is false (``days``: NaN) where its node is absent, so a test says by itself that a value must be there.
    """

    def valid_id(_context: object, scheme: str, value: object) -> bool:
        text = _text(value)
        return text is not None and text != "" and not catalogue.identifiers.check(scheme, text)

    def in_list(_context: object, name: str, value: object) -> bool:
        text = _text(value)
        return text is not None and text != "" and catalogue.code_lists[name].reason_against(text, None) is None

    def matches(_context: object, value: object, pattern: str) -> bool:
        text = _text(value)
        return text is not None and re.fullmatch(pattern, text) is not None

    return {
        **FUNCTIONS,
        (None, "valid-id"): valid_id,
        (None, "in-list"): in_list,
        (None, "matches"): matches,
        (None, "days"): lambda _context, value: days(_text(value)),
    }


def days(text: str | None) -> float:
    """The ordinal of the day a WCO date-time (102 or 304) or an ISO date begins with; NaN when it names none."""
    digits = (text or "").replace("-", "")[:8]
    try:
        return float(date(int(digits[:4]), int(digits[4:6]), int(digits[6:8])).toordinal())
    except ValueError:
        return float("nan")


def _text(value: object) -> str | None:
    """The first node's text, or the text itself; None when there is none."""
    if isinstance(value, list):
        if not value:
            return None
        value = value[0]
    return str(value if isinstance(value, (str, float, bool)) else getattr(value, "text", None) or "").strip()
