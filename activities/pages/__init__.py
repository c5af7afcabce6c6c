"""Pages that june writes as files: one HTML file each, without scripts, and nothing is fetched for it."""
