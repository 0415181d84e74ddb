"""archive/pixels: the pixel data of one row in, stored integers out (PS3.5 8, A.4).

In: a row of the index and the bytes of its file. Out: (rows, columns) integers in their own bits
and sign, color as gray, and what only decoding showed.
"""
