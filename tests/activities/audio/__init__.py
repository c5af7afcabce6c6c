"""Tests of activities.audio."""
