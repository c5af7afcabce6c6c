"""Intervals of whole numbers: merging them, and what lies between."""
