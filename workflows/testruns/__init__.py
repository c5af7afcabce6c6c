"""Runs of the integration tests."""
