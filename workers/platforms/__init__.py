"""What each platform's worker is made of: its token, its edge, its door."""
