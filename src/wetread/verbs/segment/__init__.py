"""verbs/segment: CT comes in; the masks of one organ go out."""
