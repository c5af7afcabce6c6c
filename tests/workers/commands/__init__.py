"""Tests of workers.commands."""
