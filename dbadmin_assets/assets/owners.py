"""Whose assets these are, as the UI shows it; one place to change it."""

OWNERS = ["team:database-audit"]
