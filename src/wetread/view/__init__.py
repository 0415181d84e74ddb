"""view: Hounsfield units in; what a network or an eye sees comes out.

In: HU slices (NumPy, or a torch batch in device.py), a View, drawn augmentations, a crop box.
Out: gray levels in [0, 1], one channel for each window of each neighboring slice.
"""
