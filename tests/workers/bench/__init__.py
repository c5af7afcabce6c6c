"""Tests of workers.bench."""
