"""june inside somebody else's application."""
