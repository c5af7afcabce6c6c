"""The models that june knows by name, and pulling them."""
