"""What each role of worker serves."""
