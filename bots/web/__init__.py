"""The web page: talk to june with nothing but a browser."""
