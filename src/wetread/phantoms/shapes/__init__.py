"""phantoms/shapes: points and curves in mm come in; covered voxels and lines of sight go out.

Implicit functions on a slice's grid (`implicit`), rods in a slab of planes (`slab`, `rods`), balls
along curves (`balls`), chords of lines of sight (`chords`), points with a mass (`clouds`).
"""
