"""What a tests worker and its plugin in pytest's process both call by name.

Apart from the plugin, which imports pytest: only the tests' process has it, no worker needs it.
"""

EVENTS = "JUNE_TESTS_EVENTS"
"""Environment variable: the pipe's file descriptor."""
ENDED = "JUNE_TESTS_ENDED"
"""Environment variable: a JSON file that lists the tests which have an outcome already, and are left out."""
WORK = "JUNE_TESTS_WORK"
"""Environment variable: the folder that tests run in; pytest starts in another, which it names files from."""
PLUGIN = "activities.testruns.pytest_plugin"
