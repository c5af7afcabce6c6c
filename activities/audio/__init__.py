"""Sound as bytes: decoded in a confined process, encoded, joined."""
