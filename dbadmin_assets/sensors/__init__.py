"""Sensors: what needs a daemon to look again and again."""

from dbadmin_assets.sensors.alerts import alert_sensor
from dbadmin_assets.sensors.freshness import freshness_sensor
from dbadmin_assets.sensors.partitions import sync_target_partitions

__all__ = ["alert_sensor", "freshness_sensor", "sync_target_partitions"]
