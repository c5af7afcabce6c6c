"""The recordings that come with june."""
