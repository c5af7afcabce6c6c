"""Tests of activities.platforms."""
