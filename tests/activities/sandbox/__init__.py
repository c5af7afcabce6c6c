"""Tests of activities.sandbox."""
