"""The commands of ``june``, a module each."""
