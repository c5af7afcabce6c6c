"""The tasks' own files are data: the tests in them run in workspaces of their own."""

collect_ignore = ["tasks"]
