"""verbs/scroll: a series comes in; one HTML page to scroll goes out."""
