"""exports: slices and volumes come in; files that other tools take go out."""
