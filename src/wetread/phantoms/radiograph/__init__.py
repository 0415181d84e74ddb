"""phantoms/radiograph: a chest comes in; a radiograph with the mask of its pneumothorax goes out.

`pneumothorax`, `mimics` -> `exposure` (beam, detector) -> `study` -> `dicom`, `archive`.
"""
