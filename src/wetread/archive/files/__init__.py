"""archive/files: the files that wetread itself writes and keeps: whole or absent, locked,
listed."""
