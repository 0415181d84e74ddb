"""study: rows of an Index in, Volumes out.

In: the rows of one series. Out: its slices in order along their normal, Hounsfield units, the place
of every voxel in the patient (LPS, mm), and what is unusual in the geometry, by name.
"""
