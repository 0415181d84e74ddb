"""phantoms: a seed comes in; head CT of known truth goes out, as arrays or as DICOM files.

Solids are implicit functions in millimetres (negative inside) of canonical head coordinates:
x to the patient's left, y to the back, z to the vertex, origin between the thalami.
"""
