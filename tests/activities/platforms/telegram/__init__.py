"""Tests of activities.platforms.telegram."""
