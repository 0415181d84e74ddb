"""archive/containers: paths in, bytes out.

In: folders, files, zips and tars. Out: every file and member once, and a function that reads bytes
of any of them.
"""
