"""The checks as Dagster runs them."""
