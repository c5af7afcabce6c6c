"""Tests of benchmark workflows."""
