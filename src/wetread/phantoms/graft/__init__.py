"""phantoms/graft: real negative images come in; the same with a lesion of known truth go out."""
