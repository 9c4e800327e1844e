"""The report in other forms than the CSV, all made from the detail rows and the manifest's facts: JSON, xlsx, html."""

from dbadmin_assets.review.outputs.changes import ChangesTable

__all__ = ["ChangesTable"]
