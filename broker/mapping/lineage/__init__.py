"""Where every value of a payload came from, and what of the source it does not carry."""
