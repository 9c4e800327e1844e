"""The worker: reads the catalogues of its databases and delivers one result object. Runs as an AWS Lambda."""

__version__ = "0.1.0"
