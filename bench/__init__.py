"""bench: ratios inside one run against what users would otherwise pick. `make bench`."""
