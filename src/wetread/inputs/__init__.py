"""inputs: the paths and words of a user come in; Index, labels, patients and masks go out."""
