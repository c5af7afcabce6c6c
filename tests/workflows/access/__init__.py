"""Tests of workflows.access."""
