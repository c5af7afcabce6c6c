"""Data sets that come with june; LICENCES.md says whose they are."""
