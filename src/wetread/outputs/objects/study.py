"""outputs/objects/study.py: what the objects of one study are made from, and what they share."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom import Dataset

from wetread.labels.code import Code
from wetread.outputs.objects.author import MANUFACTURER, Author, derive_uid

FIRST_SERIES = 9001  # numbers of the objects' series: behind those of scanners


@dataclass(frozen=True, eq=False)
class ObjectStudy:
    """One study of which a reading becomes objects.

    images:  headers of the images of the series that judges it, by the SOP Instance UID of the
             reading, in its order; legal DICOM (outputs/objects/source.py).
    author:  who read it.
    codes:   of findings and measured numbers, by name.
    made_at: when the reading was made.
    """

    images: Mapping[str, Dataset]
    author: Author
    codes: Mapping[str, Code]
    made_at: datetime.datetime

    @property
    def uid(self) -> str:
        """The study's own UID, which its objects have too."""
        return str(next(iter(self.images.values())).StudyInstanceUID)


def series_attributes(study: ObjectStudy, kind: str, content: str) -> dict[str, Any]:
    """Return what highdicom asks of every object: UIDs that the same content of the same study and
    networks has again, the number of its series. kind: a word; content: what tells one object of a
    kind from another."""
    run, number = study.author.run, _KINDS.index(kind)
    return {
        "series_instance_uid": derive_uid("series", study.uid, run, kind),
        "series_number": FIRST_SERIES + number,
        "sop_instance_uid": derive_uid("instance", study.uid, run, kind, content),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
    }


def device_attributes(study: ObjectStudy) -> dict[str, Any]:
    """Return what highdicom asks of objects of an image's kind about the device: the algorithm."""
    author = study.author
    return {
        "manufacturer_model_name": author.model,
        "software_versions": author.version,
        "device_serial_number": author.run[:16],
    }


def finish(data: Dataset, study: ObjectStudy, kind: str) -> bytes:
    """Return a finished object as the bytes of a file: its series described, made when the reading
    was."""
    data.SeriesDescription = f"wetread {kind}, research use only"
    data.InstanceCreationDate = data.ContentDate = study.made_at.strftime("%Y%m%d")
    data.InstanceCreationTime = data.ContentTime = study.made_at.strftime("%H%M%S")
    for equipment in data.get("ContributingEquipmentSequence", ()):
        equipment.ContributionDateTime = study.made_at.strftime("%Y%m%d%H%M%S")
    data.SeriesDate, data.SeriesTime = data.ContentDate, data.ContentTime
    packed = BytesIO()
    data.save_as(packed, enforce_file_format=True)
    return packed.getvalue()


_KINDS = ("report", "segmentation", "presentation", "key objects")
