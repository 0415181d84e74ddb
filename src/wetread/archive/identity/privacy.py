"""archive/identity/privacy.py: the one list of withheld header values, and what replaces them.

After the Basic Application Confidentiality Profile (PS3.15 table E.1-1). Text is withheld unless it
is known to be harmless: names, ids, dates and times, institutions, staff, addresses, devices, free
text, private elements and those of no dictionary. UIDs, codes, numbers, sex and age are shown.
"""

from pydicom.datadict import dictionary_VR, keyword_for_tag

# Names, dates, times, and text that a person may have typed; of them only SHOWN_TEXTS are shown.
WITHHELD_VRS = frozenset({"AE", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"})
# Texts that a machine or a dictionary wrote.
SHOWN_TEXTS = frozenset(
    {
        "AcquisitionMode",
        "CodeMeaning",
        "CodeValue",
        "CodingSchemeDesignator",
        "CodingSchemeVersion",
        "ContrastBolusAgent",
        "ContrastBolusRoute",
        "ConvolutionKernel",
        "DetectorManufacturerModelName",
        "DetectorManufacturerName",
        "DimensionDescriptionLabel",
        "DimensionIndexPrivateCreator",
        "DoseModeName",
        "FilterType",
        "FrameLabel",
        "FunctionalGroupPrivateCreator",
        "ImagedNucleus",
        "ImplementationVersionName",
        "LUTExplanation",
        "Manufacturer",
        "ManufacturerModelName",
        "ModalityLUTType",
        "PulseSequenceName",
        "Radionuclide",
        "Radiopharmaceutical",
        "ReceiveCoilName",
        "RescaleType",
        "SecondaryCaptureDeviceManufacturer",
        "SecondaryCaptureDeviceManufacturerModelName",
        "SecondaryCaptureDeviceSoftwareVersions",
        "SegmentLabel",
        "SequenceName",
        "SoftwareVersions",
        "StackID",
        "TransmitCoilName",
        "ViewName",
        "WindowCenterWidthExplanation",
    }
)
# What identifies although its VR is none of the above; a sequence withholds all that lies in it.
WITHHELD = frozenset(
    {
        "AcquisitionContextSequence",
        "AdmittingDiagnosesCodeSequence",
        "ConceptNameCodeSequence",
        "ConsultingPhysicianIdentificationSequence",
        "ContentSequence",
        "EncapsulatedDocument",
        "FileSetID",
        "GraphicAnnotationSequence",
        "IconImageSequence",
        "InstitutionCodeSequence",
        "InstitutionalDepartmentTypeCodeSequence",
        "IssuerOfAccessionNumberSequence",
        "LongitudinalTemporalInformationModified",
        "OperatorIdentificationSequence",
        "OriginalAttributesSequence",
        "PerformingPhysicianIdentificationSequence",
        "PersonIdentificationCodeSequence",
        "PhysiciansOfRecordIdentificationSequence",
        "PhysiciansReadingStudyIdentificationSequence",
        "PrivateDataElementCharacteristicsSequence",
        "ProtocolContextSequence",
        "ReasonForRequestedProcedureCodeSequence",
        "ReferencedFileID",
        "ReferringPhysicianIdentificationSequence",
        "RequestAttributesSequence",
        "ScheduledStepAttributesSequence",
        "UDISequence",
        "VerifyingObserverIdentificationCodeSequence",
        "VerifyingObserverSequence",
    }
)
# Whole groups: the patient, the visit, the request, comments and results.
WITHHELD_GROUPS = frozenset({0x0010, 0x0032, 0x0038, 0x4000, 0x4008})
_SHOWN_OF_THE_PATIENT = frozenset({"PatientSex", "PatientAge"})

# Columns of an index that identify, or may. What a run or a prediction holds has pseudonyms and
# moved times there (archive/identity/pseudonym.py); an index that `wetread index` writes is its
# owner's.
PATIENT_COLUMNS = ("PatientID",)
FREE_TEXT_COLUMNS = ("SeriesDescription",)
TIME_COLUMNS = ("content_time_s", "acquisition_time_s")  # seconds since midnight
# Words of a free text that name what is imaged and how, and nobody.
SHOWN_WORDS = frozenset(
    (
        *("head", "brain", "skull", "cranium", "cerebrum", "neuro", "sinus", "sinuses", "orbit"),
        *("neck", "chest", "thorax", "lung", "lungs", "pulmonary", "heart", "cardiac", "aorta"),
        *("abdomen", "pelvis", "liver", "kidney", "spine", "cervical", "lumbar", "shoulder"),
        *("hand", "wrist", "elbow", "arm", "leg", "knee", "hip", "ankle", "foot", "body", "whole"),
        *("ct", "cta", "ctpa", "mr", "mra", "mri", "xr", "pet", "angio", "angiography", "emboli"),
        *("axial", "coronal", "sagittal", "ax", "cor", "sag", "pa", "ap", "lateral", "lat"),
        *("scout", "localizer", "topogram", "surview", "bone", "soft", "tissue", "window", "mip"),
        *("mpr", "recon", "contrast", "without", "with", "native", "arterial", "venous", "portal"),
        *("delayed", "late", "early", "phase", "inspiration", "expiration", "prone", "supine"),
        *("thin", "thick", "routine", "helical", "perfusion", "diffusion", "flair", "dose"),
    )
)

# Most characters of one value (PS3.5 table 6.2-1): what is longer may hold a neighbor's bytes.
_LONGEST = {"AE": 16, "AS": 4, "CS": 16, "DS": 16, "IS": 12, "LO": 64, "SH": 16, "UI": 64}


def is_withheld(tag: int, vr: str) -> bool:
    """Whether an element's value is shown only when asked for by name.

    tag: group << 16 | element; vr: as the file has it, the dictionary's VR counts as well.
    """
    group, keyword = tag >> 16, keyword_for_tag(tag)
    if group & 1 or not keyword:
        return tag & 0xFFFF != 0  # a group's length is a number
    if group in WITHHELD_GROUPS:
        return keyword not in _SHOWN_OF_THE_PATIENT
    if keyword in WITHHELD:
        return True
    named = dictionary_VR(tag)
    return keyword not in SHOWN_TEXTS and bool(WITHHELD_VRS & {vr, named})


def describe_presence(length: int, unit: str = "character") -> str:
    """Say that a withheld value is there, and how long it is."""
    return f"present, {length} {unit}{'' if length == 1 else 's'}"


def is_sound(text: str, vr: str) -> bool:
    """Whether a text can be a value of that VR; what cannot may hold a neighbor's bytes."""
    longest = _LONGEST.get(vr)
    fits = longest is None or all(len(part.strip()) <= longest for part in text.split("\\"))
    return fits and text.isprintable()
