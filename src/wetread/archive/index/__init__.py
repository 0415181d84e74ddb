"""archive/index: an archive's files in, an Index out.

In: sources. Out: three tables on disk (instances, rejects, duplicates), records by which changed
files are known, and one row a frame of a multi-frame image.
"""
