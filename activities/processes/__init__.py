"""Child processes: dying with their parent, found and killed by their tag, with a bounded log."""
