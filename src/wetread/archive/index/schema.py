"""archive/index/schema.py: the columns of the Index and of its tables of rejects and duplicates."""

import polars as pl

# name: dtype                 unit, DICOM keyword where it is not the name
_MARK: dict[str, pl.DataType] = {
    "path": pl.String(),  # absolute
    "member": pl.String(),  # inside a zip or tar; null for a file of its own
    "size": pl.Int64(),  # bytes, unpacked
    "mtime_ns": pl.Int64(),  # of the file, or of the tar around it; null inside a zip
    "crc": pl.Int64(),  # CRC-32 of a zip's member; else null
}

INDEX_SCHEMA: dict[str, pl.DataType] = {
    **_MARK,
    "state": pl.String(),  # "image" or "not_image"
    "SOPInstanceUID": pl.String(),
    "SOPClassUID": pl.String(),
    "SeriesInstanceUID": pl.String(),
    "StudyInstanceUID": pl.String(),
    "FrameOfReferenceUID": pl.String(),
    "PatientID": pl.String(),  # identifying, as privacy.py lists: in a run a pseudonym
    "PatientSex": pl.String(),
    "age_years": pl.Float64(),  # PatientAge
    "Modality": pl.String(),
    "BodyPartExamined": pl.String(),
    "ViewPosition": pl.String(),
    "Manufacturer": pl.String(),
    "ManufacturerModelName": pl.String(),
    "ConvolutionKernel": pl.String(),
    "KVP": pl.Float64(),  # kV
    "ImageType": pl.String(),  # values joined by a backslash; FrameType of an enhanced object
    "SeriesDescription": pl.String(),  # free text, may name a person: never shown
    "InstanceNumber": pl.Int64(),
    "AcquisitionNumber": pl.Int64(),
    "content_time_s": pl.Float64(),  # ContentTime, since midnight; identifying: never shown
    "acquisition_time_s": pl.Float64(),  # AcquisitionTime, or AcquisitionDateTime, likewise
    "TriggerTime": pl.Float64(),  # ms after the R wave
    "cardiac_phase_percent": pl.Float64(),  # NominalPercentageOfCardiacPhase
    "TemporalPositionIdentifier": pl.Int64(),
    "TemporalPositionIndex": pl.Int64(),  # of enhanced objects above all
    "DiffusionBValue": pl.Float64(),  # s/mm2
    "EchoNumbers": pl.Int64(),
    "EchoTime": pl.Float64(),  # ms
    "Rows": pl.Int64(),
    "Columns": pl.Int64(),
    "NumberOfFrames": pl.Int64(),
    "SamplesPerPixel": pl.Int64(),
    "BitsAllocated": pl.Int64(),
    "BitsStored": pl.Int64(),
    "HighBit": pl.Int64(),
    "PixelRepresentation": pl.Int64(),  # 0 unsigned, 1 signed
    "PhotometricInterpretation": pl.String(),
    "TransferSyntaxUID": pl.String(),  # PNG, JPEG or NIfTI where there is no DICOM header
    "lossy": pl.Boolean(),  # null where neither the flag nor the syntax says
    "row_spacing_mm": pl.Float64(),  # PixelSpacing[0], between rows
    "column_spacing_mm": pl.Float64(),  # PixelSpacing[1], between columns
    "SliceThickness": pl.Float64(),  # mm, the slab's width, not the distance of slices
    "position_mm": pl.List(pl.Float64()),  # ImagePositionPatient, LPS, 3 values
    "orientation": pl.List(pl.Float64()),  # ImageOrientationPatient, 6 values
    "RescaleSlope": pl.Float64(),
    "RescaleIntercept": pl.Float64(),
    "RescaleType": pl.String(),  # null: absent or empty
    "WindowCenter": pl.List(pl.Float64()),
    "WindowWidth": pl.List(pl.Float64()),
    "PixelPaddingValue": pl.Int64(),  # stored values, signed as the pixels are
    "PixelPaddingRangeLimit": pl.Int64(),
    "digest": pl.String(),  # BLAKE2b of the bytes; only where a SOP Instance UID came twice
    "notes": pl.List(pl.String()),  # what is odd and harmless
}

# What changes when a file changes, and where it lies.
MARKS: list[str] = list(_MARK)

REJECT_SCHEMA: dict[str, pl.DataType] = {
    "path": pl.String(),
    "member": pl.String(),
    "reason": pl.String(),
    "detail": pl.String(),
    "size": pl.Int64(),
    "mtime_ns": pl.Int64(),
    "crc": pl.Int64(),
    # As far as the header could be read before it was refused.
    "SOPInstanceUID": pl.String(),
    "StudyInstanceUID": pl.String(),
    "SeriesInstanceUID": pl.String(),
    "Modality": pl.String(),
}

# One row of the journal: an instance or a reject (state "reject").
JOURNAL_SCHEMA: dict[str, pl.DataType] = {
    **INDEX_SCHEMA,
    "reason": pl.String(),
    "detail": pl.String(),
}
