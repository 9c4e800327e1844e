"""Alerts without Dagster or AWS: what one says, how each endpoint wants it, what waits to be delivered."""
