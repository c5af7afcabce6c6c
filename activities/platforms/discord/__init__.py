"""Discord by its REST interface."""
