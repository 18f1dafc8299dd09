"""Faust as the broker uses it."""
