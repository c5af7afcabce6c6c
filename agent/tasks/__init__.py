"""Benchmark tasks: kinds of tasks, and the data sets that are read by them."""
