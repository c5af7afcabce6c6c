"""Tests of workers.bench.faults."""
