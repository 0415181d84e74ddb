"""verbs: the rooms put together, one file a verb; paths and settings in, files and a result out."""
