"""The real code location for a real daemon, which looks for alerts every second."""

from dbadmin_assets.definitions import build_definitions

defs = build_definitions(alert_seconds=1)
