"""Who may talk on a platform, and how much."""
