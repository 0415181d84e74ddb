"""reports: a run or its readings come in; the material of the pages about them goes out."""
