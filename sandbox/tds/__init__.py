"""A SQL Server stand-in for machines that can have no SQL Server; `server.py` says what it proves and what not."""
