"""Tests of workflows.voice."""
