"""Tests of activities.testruns."""
