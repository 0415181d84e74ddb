"""archive/pictures/: films and volumes without a DICOM header: PNG, JPEG and NIfTI as rows."""
