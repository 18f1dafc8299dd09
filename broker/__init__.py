"""Single Window Broker: documents of trade in, WCO Data Model payloads out, every answer brought home.

As a library: ``load_catalogue()`` reads all data once; ``process(message, catalogue)`` carries one document along the
line and gives its :class:`Outcome`; ``explain(message, catalogue)`` says where every value of the payload came from.
The names below are resolved when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.catalogue import load as load_catalogue
    from broker.line.process import explain, process
    from broker.model.documents import Message
    from broker.model.errors import BrokerError
    from broker.model.findings import Finding
    from broker.model.outcomes import Outcome

__version__ = "0.2.0"

__all__ = ["BrokerError", "Finding", "Message", "Outcome", "__version__", "explain", "load_catalogue", "process"]

_PLACES = {
    "BrokerError": ("broker.model.errors", "BrokerError"),
    "Finding": ("broker.model.findings", "Finding"),
    "Message": ("broker.model.documents", "Message"),
    "Outcome": ("broker.model.outcomes", "Outcome"),
    "explain": ("broker.line.process", "explain"),
    "load_catalogue": ("broker.catalogue", "load"),
    "process": ("broker.line.process", "process"),
}


def __getattr__(name: str) -> object:
    """A public name, imported when it is first asked for (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
