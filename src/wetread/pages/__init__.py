"""pages: readings, scores and pictures come in; HTML pages that need nothing else go out."""
