"""archive/executor: a function and items in, results in the items' order out.

Each item is worked on in a process that may die of it, on this machine or on a Dask cluster; such
an item comes back as `LostItem`.
"""
