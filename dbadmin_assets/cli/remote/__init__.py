"""Runs in a deployed Dagster, over the GraphQL of its webserver. Nothing here imports Dagster."""
