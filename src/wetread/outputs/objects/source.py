"""outputs/objects/source.py: headers of the images that were read, as objects of the same study
need them; what is no legal DICOM there is named, or on request replaced."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    SecondaryCaptureImageStorage,
)

from wetread.archive.errors import WetreadError
from wetread.archive.identity.privacy import describe_presence, is_withheld
from wetread.outputs.objects.author import derive_uid

# PS3.5 9.1: numbers without leading zeros between dots, 64 characters at most.
LEGAL_UID = re.compile(r"(?=.{1,64}$)(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_FORMS = {  # PS3.5 6.2, of what objects take over from an image
    "PatientAge": re.compile(r"\d{3}[DWMY]"),
    "PatientSex": re.compile("[MFO]"),
    "StudyDate": re.compile(r"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"),
    "PatientBirthDate": re.compile(r"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"),
    "StudyTime": re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?"),
}
_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_NEEDED = _UIDS[:3]
_CLASSES = {"CT": CTImageStorage, "CR": ComputedRadiographyImageStorage}  # by Modality
_TYPE_2 = (  # may be empty, may not be absent (PS3.3 C.7.1.1, C.7.2.1)
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("ReferringPhysicianName", "StudyID", "AccessionNumber"),
)


class SourceError(WetreadError, ValueError):
    """Images of which no DICOM object can be made; the message names each fault."""


@dataclass(frozen=True)
class Fault:
    """An element of an image's header that is not legal DICOM.

    keyword: of the element. value: as it stands there; of identifying elements its length alone.
    """

    keyword: str
    value: str

    def __str__(self) -> str:
        """Name the element and what stands in it."""
        tag = tag_for_keyword(self.keyword)
        assert tag is not None
        return f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {self.keyword} is {self.value}"


@dataclass(frozen=True)
class Replacement:
    """A value of an image's header in place of which its objects have another; image: its SOP
    Instance UID as it stands in the file."""

    image: str
    fault: Fault
    now: str


def find_faults(header: Dataset) -> list[Fault]:
    """Find what is no legal DICOM among the elements that objects take from an image's header."""
    faults = [_fault(header, "SOPClassUID", LEGAL_UID.fullmatch, needed=True)]
    faults += [_fault(header, name, LEGAL_UID.fullmatch, needed=name in _NEEDED) for name in _UIDS]
    faults += [_fault(header, name, form.fullmatch) for name, form in _FORMS.items()]
    return [fault for fault in faults if fault is not None]


def replace_faults(header: Dataset) -> tuple[Dataset, list[Replacement]]:
    """Return a header in which every fault of find_faults is replaced: a UID by one that is derived
    from it, an age without a unit by years, a class by that of the modality, all else by nothing;
    and what was replaced."""
    found, image = Dataset(), str(header.get("SOPInstanceUID", ""))
    found.update(header)
    replacements = []
    for fault in find_faults(header):
        now, tag = _legal(header, fault.keyword), tag_for_keyword(fault.keyword)
        assert tag is not None
        found.add_new(tag, dictionary_VR(tag), now)  # setattr would change the element of both
        replacements.append(Replacement(image, fault, now))
    return found, replacements


def complete_header(header: Dataset) -> Dataset:
    """Return a header in which elements of patient and study that may be empty are there, empty
    where the image has none."""
    found = Dataset()
    found.update(header)
    for name in _TYPE_2:
        if name not in found:
            setattr(found, name, "")
    return found


def _fault(
    header: Dataset, keyword: str, legal: Callable[[str], object], *, needed: bool = False
) -> Fault | None:
    """Name an element that is there in another form, or is absent and needed."""
    tag = tag_for_keyword(keyword)
    text = "" if keyword not in header else str(header.get(keyword) or "").strip("\0 ")
    if not text:
        return Fault(keyword, "absent") if needed else None
    assert tag is not None
    if legal(text):
        return None
    withheld = is_withheld(tag, dictionary_VR(tag))
    return Fault(keyword, describe_presence(len(text)) if withheld else repr(text))


def _legal(header: Dataset, keyword: str) -> str:
    text = str(header.get(keyword) or "").strip("\0 ")
    if keyword == "SOPClassUID":
        return str(_CLASSES.get(str(header.get("Modality", "")), SecondaryCaptureImageStorage))
    if keyword in _UIDS:
        return derive_uid(keyword, text)
    if keyword == "PatientAge" and text.isdigit() and len(text) <= 3:
        return f"{int(text):03d}Y"
    return ""
