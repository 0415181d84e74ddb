"""phantoms/angiogram: a chest and an exam come in; a CT pulmonary angiogram goes out, with truth.

`exam` -> `arteries`, `chambers`, `contrast`, `emboli`, `mimics` -> `paint` -> `scan` -> `study` ->
`dicom`, `archive`.
"""
