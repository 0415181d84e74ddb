"""phantoms: a seed comes in; imaging studies of known truth go out, as arrays or as DICOM archives.

Wings, each importing only from those before it: `shapes` (solids in mm), `scanner` (noise, stored
integers), `dicom` (elements, the writer of archives), `head` and `chest` (a body in three
dimensions), `radiograph` and `angiogram` (studies of the chest), `graft` (lesions painted into real
images). Solids are implicit functions in
mm, negative inside, in canonical coordinates: x to the patient's left, y to the back, z up.
"""
