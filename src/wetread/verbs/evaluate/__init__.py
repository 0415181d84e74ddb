"""verbs/evaluate: a run, or predictions of other people's data, in; scores and their page out."""
