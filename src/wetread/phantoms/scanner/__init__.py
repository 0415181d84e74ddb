"""phantoms/scanner: true Hounsfield units of a slice come in; noise and stored integers go out.

What any CT scanner does to a picture, whoever lies in it. It knows no body.
"""
