"""Tests of activities.benchmarks."""
