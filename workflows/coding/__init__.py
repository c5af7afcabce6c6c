"""Coding tasks: the workflow, what it takes and returns, and what the Web UI shows."""
