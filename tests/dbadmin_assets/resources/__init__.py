"""Tests of what the assets reach outside their process."""
