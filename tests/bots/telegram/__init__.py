"""Tests of bots.telegram."""
