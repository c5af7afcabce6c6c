"""Measurements of june, as ratios within one run wherever machines differ; never a test."""
