"""Alerts: formats, grouping, delivery."""
