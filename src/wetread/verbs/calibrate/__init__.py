"""verbs/calibrate: a run and labeled studies of a new site in; a run that fits the site out."""
