"""Where commands of the coding agent run: isolated, bounded, and gone when they end."""
