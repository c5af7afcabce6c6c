"""Grades of a class, as a report."""
