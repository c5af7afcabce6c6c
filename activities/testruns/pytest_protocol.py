"""Names that a tests worker and its plugin in pytest's process share.

A module of its own, as the plugin imports pytest, which a worker's environment may lack.
"""

EVENTS = "JUNE_TESTS_EVENTS"
"""Environment variable: the pipe's file descriptor."""
ENDED = "JUNE_TESTS_ENDED"
"""Environment variable: a JSON file with the names of tests that have an outcome already, and are left out."""
WORK = "JUNE_TESTS_WORK"
"""Environment variable: the tests' working folder; pytest starts in another, which its file names are relative to."""
PLUGIN = "activities.testruns.pytest_plugin"
