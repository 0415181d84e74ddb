"""archive: files in, an Index out.

In: folders, zip and tar files, under any file names. Out: one row for every DICOM object with what
the later rooms need, a reject with a reason from a closed list for everything else, and the stored
pixels of any row on demand. Nothing here knows Hounsfield units, labels or tasks.

Its wings, each importing only from those before it:

    files       whole files, locks and tables that wetread itself writes
    identity    what identifies a patient, and the pseudonyms in its place
    containers  the bytes of files and of members of zips and tars
    dataset     the elements of a data set, and the columns they fill
    pixels      pixel data as stored integers
    executor    work over many items that no item can end
    index       all of it over an archive: one table
"""
