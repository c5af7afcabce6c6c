"""Rules that turn what is written into what is said, by kind; the words of each language beside them."""
