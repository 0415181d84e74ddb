"""phantoms/head: a generator comes in; a head CT of known truth goes out, as arrays or an archive.

`patient` -> `skull`, `brain` -> `blood`, `injuries`, `mimics` -> `scan` -> `study` -> `dicom`,
`archive`. Canonical coordinates in mm have their origin between the thalami.
"""
