"""verbs/calibrate: a run and labeled studies of a new place in; a run that fits the place out."""
