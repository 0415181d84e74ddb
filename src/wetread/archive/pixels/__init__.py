"""archive/pixels: the pixel data of one row come in; stored integers go out (PS3.5 A.4)."""
