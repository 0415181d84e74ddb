"""verbs/train: an archive and labels come in; a scored Run goes out."""
