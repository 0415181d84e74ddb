"""study: rows of an Index in, Volumes out.

In: the rows of one series. Out: its stacks (split), slices in order along their normal, right
values, the place of every voxel in the patient (LPS, mm), what is unusual in the geometry, by name,
and what may be done about it (stack, shear); which series of a study to read (choice).
"""
