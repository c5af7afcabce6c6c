"""The chat platforms, as the tests need them: servers of the project's own."""
