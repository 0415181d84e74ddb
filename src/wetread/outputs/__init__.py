"""outputs: readings, masks and tables come in, what machines read goes out.

In: `Reading`s, probabilities, masks, slices in HU, an Index.
Out: JSON readings, worklist, tables of probabilities and rejects, submissions, mask files,
surfaces, gray pictures. Every file is whole or absent.
"""
