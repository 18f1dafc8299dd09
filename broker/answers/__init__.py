"""The way home: what windows answer, the history of a conversation, and what its sender reads of it."""
