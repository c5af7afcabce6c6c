"""Tests of bots.texts."""
