"""verbs/montage: DICOM comes in; slices beside each other as one PNG go out."""
