"""Tests of workers.embedding."""
