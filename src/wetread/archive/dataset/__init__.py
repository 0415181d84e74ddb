"""archive/dataset: bytes in, elements out (PS3.5, PS3.10).

In: a function that reads bytes of a file. Out: the raw values of its header, the columns of a row
that they fill, its look-up tables and windows, and every element for people to read.
"""
