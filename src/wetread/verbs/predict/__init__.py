"""verbs/predict: raw DICOM and runs come in; readings go out."""
