"""Tests of workers.roles."""
