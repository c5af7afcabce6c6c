"""Benchmarks: a run of a data set, and its attempts."""
