"""Tests of activities.platforms.discord."""
