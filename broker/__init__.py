"""Single Window Broker: documents of trade in, WCO Data Model payloads out, every answer brought home."""

__version__ = "0.1.0"
