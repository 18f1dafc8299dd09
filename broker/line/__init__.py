"""The straight line from content to outcome, one step a module."""
