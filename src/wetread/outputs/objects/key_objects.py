"""outputs/objects/key_objects.py: the key slices of a reading as a Key Object Selection (PS3.3
A.35.4)."""

from __future__ import annotations

from collections.abc import Sequence

from highdicom import ko
from pydicom.sr.codedict import codes

from wetread.outputs.objects.report import observer
from wetread.outputs.objects.study import ObjectStudy, finish, series_attributes
from wetread.prediction.reading import USE


def make_key_objects(study: ObjectStudy, key_slices: Sequence[str]) -> bytes:
    """Make the selection of the slices that speak most for the study, best first, as the bytes of a
    file. key_slices: names of study.images, one at least."""
    headers = [study.images[uid] for uid in key_slices]
    selection = ko.KeyObjectSelection(
        document_title=codes.DCM.OfInterest,
        referenced_objects=headers,
        observer_device_context=observer(study.author),
        description=f"Slices that speak most for the study, best first. {USE}.",
    )
    made = ko.KeyObjectSelectionDocument(
        evidence=headers,
        content=selection,
        **series_attributes(study, "key objects", " ".join(key_slices)),
    )
    return finish(made, study, "key objects")
