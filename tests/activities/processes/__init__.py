"""Tests of activities.processes."""
