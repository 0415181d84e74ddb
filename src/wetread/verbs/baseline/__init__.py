"""verbs/baseline: archive and labels in, the scores of what sees no lesion out."""
