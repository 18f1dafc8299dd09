"""Rows to code: the rows bound to the payload's schema and written as one function."""
