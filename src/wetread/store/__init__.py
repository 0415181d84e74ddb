"""store: index rows in, packed slices out: stored integers on disk with random access by row."""
