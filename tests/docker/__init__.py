"""The containers' files, without a container engine."""
