"""Scoring of benchmark tasks: submissions are checked in fresh sandboxes, by another process than their own."""
