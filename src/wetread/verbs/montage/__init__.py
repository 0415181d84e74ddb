"""verbs/montage: DICOM comes in; slices side by side as one PNG go out."""
