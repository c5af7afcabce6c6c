"""Tests of activities.text."""
