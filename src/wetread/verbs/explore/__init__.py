"""An archive, its labels or both -> one page of what there is and what is wrong with it."""
