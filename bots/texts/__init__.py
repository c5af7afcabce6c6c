"""What june says to people, by language."""
