"""Tests of activities.pages."""
