"""june inside the applications of others."""
