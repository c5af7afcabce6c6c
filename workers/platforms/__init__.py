"""Names of 0.1.0, kept for one release: see ``workers.embedding``."""
