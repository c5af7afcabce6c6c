"""Runs of the integration tests: collecting, running a module, results."""
