"""Tests of workers.clients."""
