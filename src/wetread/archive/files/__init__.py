"""archive/files: content in, whole files out.

In: bytes, tables and JSON to keep, and what lies on disk already. Out: files that are whole or
absent, one writer a folder, a list of what was written, and one line for a file that is damaged.
"""
