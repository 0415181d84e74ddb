"""archive: files in, an Index out.

In: folders, zip and tar files, under any file names. Out: one row for every DICOM object with what
the later rooms need, a reject with a reason from a closed list for everything else, and the stored
pixels of any row on demand. Nothing here knows Hounsfield units, labels or tasks.
"""
