"""Default sizes of the measurements: enough for medians that hardly differ from run to run."""

ROUNDS = 9
"""Real turns of each length."""
NOOP_TURNS = 200
"""Turns without engines."""
ENDURANCE_TURNS = 1000
FOOTPRINT_TURNS = 100
FAULT_TURNS = 1000
FAULT_CHATS = 30
FAULTS = 60
TURNS_PER_SECOND = 2.0
"""Of a fault campaign, on average; without faults two cores answer about seven."""
