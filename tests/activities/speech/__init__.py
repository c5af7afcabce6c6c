"""Tests of activities/speech."""
