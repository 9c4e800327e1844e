"""The command line, `db-admin-report`: one module per command; what commands share stands beside them."""
