"""The pipeline: from an inventory of databases to one evidence folder of who administers them."""

__version__ = "0.1.0"
