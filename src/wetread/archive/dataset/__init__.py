"""archive/dataset: the bytes of a data set come in; its elements go out (PS3.5, PS3.10)."""
