"""Tests of bots.discord."""
