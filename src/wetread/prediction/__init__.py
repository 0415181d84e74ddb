"""prediction: a store of slices and trained models in, one Reading a study out."""
