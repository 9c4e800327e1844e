"""Fixtures of the pipeline's tests; `fakes` says what they are."""

from tests.dbadmin_assets.fakes import accounts, fake_aws, inventory, store, worker

__all__ = ["accounts", "fake_aws", "inventory", "store", "worker"]
