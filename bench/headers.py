"""bench/headers.py: files whose headers are measured: lean and rich, explicit and implicit VR.

lean: 22 elements, 0.8 kB, as the files of a head CT competition. rich: 168 elements, 5 kB, with
private blocks and sequences, as a scanner writes them. Pixel data is 512 x 512 x 16 bit of nothing:
the file is long, its blocks are not on disk.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

SYNTAXES = {"explicit": ExplicitVRLittleEndian, "implicit": ImplicitVRLittleEndian}
ROWS = COLUMNS = 512
A_SERIES = 40  # files
UID = "1.2.826.0.1.3680043.8.498.10000000000000000"


def write_headers(folder: Path, form: str, syntax: str, count: int) -> list[Path]:
    """`count` files of a form (lean, rich) and a syntax (explicit, implicit), once."""
    folder = folder / f"{form}-{syntax}-{count}"
    files = [folder / f"{number // 100:04d}" / f"{number:07d}.dcm" for number in range(count)]
    if not files[-1].is_file():
        templates = [header_bytes(form, syntax, number) for number in range(A_SERIES)]
        for number, file in enumerate(files):
            file.parent.mkdir(parents=True, exist_ok=True)
            data = _renamed(templates[number % A_SERIES], number)
            with file.open("wb") as out:
                out.write(data)
                out.truncate(len(data) + 2 * ROWS * COLUMNS)
    return files


def header_bytes(form: str, syntax: str, number: int) -> bytes:
    """The file up to the first pixel; its UIDs and its place follow from the number."""
    dataset = lean(number)
    if form == "rich":
        enrich(dataset, number)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = SYNTAXES[syntax]
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    out = BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    length = (2 * ROWS * COLUMNS).to_bytes(4, "little")
    vr = b"OW\0\0" if syntax == "explicit" else b""
    return out.getvalue() + b"\xe0\x7f\x10\x00" + vr + length


def _renamed(template: bytes, number: int) -> bytes:
    """The bytes of `header_bytes` for the number, from those of the first series."""
    series, place = divmod(number, A_SERIES)
    data = template.replace(f"{UID}1{place:09d}".encode(), f"{UID}1{number:09d}".encode())
    for kind in "234":
        data = data.replace(f"{UID}{kind}{0:09d}".encode(), f"{UID}{kind}{series:09d}".encode())
    return data.replace(f"ID_{0:08x}".encode(), f"ID_{series:08x}".encode())


def lean(number: int) -> Dataset:
    """The elements of the competition's files, without pixel data."""
    series, place = divmod(number, A_SERIES)
    dataset = Dataset()
    dataset.SOPInstanceUID = f"{UID}1{number:09d}"
    dataset.Modality = "CT"
    dataset.PatientID = f"ID_{series:08x}"
    dataset.StudyInstanceUID = f"{UID}2{series:09d}"
    dataset.SeriesInstanceUID = f"{UID}3{series:09d}"
    dataset.StudyID = ""
    dataset.ImagePositionPatient = [-125.0, -124.697983, 10.5 + 4.979 * place]
    dataset.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 0.968148, -0.250380]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    dataset.PixelSpacing = [0.48828125, 0.48828125]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1
    dataset.WindowCenter, dataset.WindowWidth = 30, 80
    dataset.RescaleIntercept, dataset.RescaleSlope = -1024, 1
    return dataset


def enrich(dataset: Dataset, number: int) -> None:
    """Up to 168 elements: what scanners add, private blocks and nested sequences."""
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"]
    dataset.SOPClassUID = CTImageStorage
    for name in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        setattr(dataset, name, "20200102")
    for name in ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime"):
        setattr(dataset, name, "101112.123456")
    texts = {
        "Manufacturer": "SIEMENS",
        "ManufacturerModelName": "SOMATOM Definition AS+",
        "InstitutionName": "A hospital",
        "StationName": "CT01",
        "StudyDescription": "CT head without contrast",
        "SeriesDescription": "Head 5.0 J30s",
        "ProtocolName": "01_HeadRoutine",
        "BodyPartExamined": "HEAD",
        "PatientName": "Phantom^Of the bench",
        "PatientSex": "F",
        "PatientAge": "061Y",
        "PatientPosition": "HFS",
        "ConvolutionKernel": "J30s",
        "SoftwareVersions": "syngo CT 2014A",
        "RotationDirection": "CW",
        "ExposureModulationType": "XYZ_EC",
        "AccessionNumber": "0000000001",
        "RescaleType": "HU",
        "WindowCenterWidthExplanation": "WINDOW1",
    }
    numbers = {
        "SliceThickness": 5.0,
        "KVP": 120,
        "DataCollectionDiameter": 500,
        "ReconstructionDiameter": 250,
        "DistanceSourceToDetector": 1085.6,
        "DistanceSourceToPatient": 595,
        "GantryDetectorTilt": 0,
        "TableHeight": 130,
        "ExposureTime": 1000,
        "XRayTubeCurrent": 300,
        "Exposure": 300,
        "GeneratorPower": 36,
        "FocalSpots": 1.2,
        "SingleCollimationWidth": 0.6,
        "TotalCollimationWidth": 38.4,
        "TableSpeed": 23.0,
        "SpiralPitchFactor": 0.6,
        "CTDIvol": 55.1,
        "SeriesNumber": 2,
        "AcquisitionNumber": 1,
        "InstanceNumber": number % A_SERIES + 1,
        "SliceLocation": 5.0 * (number % A_SERIES),
        "SmallestImagePixelValue": 0,
        "LargestImagePixelValue": 4095,
    }
    for name, value in (texts | numbers).items():
        setattr(dataset, name, value)
    dataset.FrameOfReferenceUID = f"{UID}4{number // A_SERIES:09d}"
    for name, count in (("ReferencedImageSequence", 3), ("SourceImageSequence", 3)):
        items = []
        for place in range(count):
            item = Dataset()
            item.ReferencedSOPClassUID = CTImageStorage
            item.ReferencedSOPInstanceUID = f"{UID}5{place:09d}"
            items.append(item)
        setattr(dataset, name, Sequence(items))
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "CTHEAD", "L", "CT head"
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = "1", "2"
    request.ScheduledProtocolCodeSequence = Sequence([code])
    dataset.ProcedureCodeSequence = Sequence([code])
    dataset.RequestAttributesSequence = Sequence([request])
    for group, name in ((0x0019, "BLOCK ONE"), (0x0021, "BLOCK TWO"), (0x0029, "BLOCK THREE")):
        block = dataset.private_block(group, name, create=True)
        for element in range(ELEMENTS_A_BLOCK):
            vr = ("LO", "DS", "US", "OB")[element % 4]
            block.add_new(element + 0x10, vr, ("private text", "1.25", 7, b"\1" * 64)[element % 4])


ELEMENTS_A_BLOCK = 21
