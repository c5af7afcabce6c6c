"""Tests of bots.web."""
