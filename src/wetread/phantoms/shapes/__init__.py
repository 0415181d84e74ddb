"""phantoms/shapes: solids in mm, and painting them into voxels."""
