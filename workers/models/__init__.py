"""The models that june knows by name, and how they are brought here."""
