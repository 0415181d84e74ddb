"""outputs: readings, scores and pictures come in, what people open goes out.

In: `Reading`s, probabilities, `Score`s, slices in HU.
Out: JSON readings, worklist, table of probabilities, submission, PNG pictures, one HTML page.
Every file is written beside its place and then renamed: what is there is whole.
"""
