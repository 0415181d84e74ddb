"""archive/identity: identifying values in, pseudonyms out.

In: tags, columns of an index and the user's key. Out: which values are withheld, and what stands
in their place.
"""
