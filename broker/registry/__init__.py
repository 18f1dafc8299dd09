"""What is known beforehand: participants, code lists, identifiers, statuses, relations."""
