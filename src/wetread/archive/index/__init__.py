"""archive/index: the files of an archive come in; an Index on disk goes out."""
