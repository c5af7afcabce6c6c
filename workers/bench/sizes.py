"""How much is measured, unless said otherwise: enough for medians to stay where they are."""

ROUNDS = 9
"""Real turns of each length."""
NOOP_TURNS = 200
"""Turns without engines."""
ENDURANCE_TURNS = 1000
FOOTPRINT_TURNS = 100
