"""phantoms/writers: what a scanner does to a perfect picture, and how studies become DICOM
files."""
