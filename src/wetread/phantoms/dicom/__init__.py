"""phantoms/dicom: images with their truth come in; files, label tables and truth.csv go out.

The elements of a DICOM file, the identifiers of an archive, and the one writer of archives. It
knows no body and no scanner: what a kind of study looks like comes in as an `ArchiveKind`.
"""
