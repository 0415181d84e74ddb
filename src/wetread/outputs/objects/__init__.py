"""outputs/objects: a reading -> DICOM objects in the study that was read (PS3.3, PS3.16).

Structured report, segmentations, presentation state and key objects; written by highdicom, the
extra `dicom`.
"""
