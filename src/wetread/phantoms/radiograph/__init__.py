"""phantoms/radiograph: a chest comes in; a radiograph with the mask of its pneumothorax goes out.

`habitus`, `limbs`, `gas`, `mimics`, `pneumothorax` -> `exposure` (beam, detector) -> `finish`
(shutters, letters) -> `study` -> `dicom`, `archive`.
"""
