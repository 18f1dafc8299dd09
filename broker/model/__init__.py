"""The nouns of the broker: frozen values that every step takes and gives."""
