"""tests/outputs/objects/head_ct.py: headers of a head CT as PS3.3 wants them."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian


def ct_header(number: int) -> Dataset:
    """The header of one slice, 5 mm above the one before; 24 rows, 16 columns."""
    header = Dataset()
    header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, f"1.2.3.{number + 1}"
    header.StudyInstanceUID, header.SeriesInstanceUID = "1.2.1", "1.2.2"
    header.FrameOfReferenceUID = "1.2.9"
    header.PatientName, header.PatientID, header.PatientSex = "Doe^Jane", "P17", "F"
    header.PatientBirthDate, header.StudyDate, header.StudyTime = "19500203", "20200102", "101112"
    header.ReferringPhysicianName = header.StudyID = header.AccessionNumber = ""
    header.Modality, header.Rows, header.Columns = "CT", 24, 16
    header.PixelSpacing, header.SliceThickness = [0.5, 0.5], 5.0
    header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    header.ImagePositionPatient = [-4.0, -6.0, 5.0 * number]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.RescaleSlope, header.RescaleIntercept = 1, -1024
    header.InstanceNumber, header.PositionReferenceIndicator = number + 1, ""
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return header
