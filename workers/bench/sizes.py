"""Default sizes of the measurements: enough for medians that hardly differ from run to run."""

ROUNDS = 9
"""Real turns of each length."""
NOOP_TURNS = 200
"""Turns without engines."""
ENDURANCE_TURNS = 1000
FOOTPRINT_TURNS = 100
