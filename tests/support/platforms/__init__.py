"""Fake servers of chat platforms."""
