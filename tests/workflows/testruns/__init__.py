"""Tests of workflows.testruns."""
