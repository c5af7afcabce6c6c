"""Tests of agent.tasks; the folders are tasks of ``tests.agent.tuning``."""
