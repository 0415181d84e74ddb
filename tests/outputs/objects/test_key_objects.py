"""tests/outputs/objects/test_key_objects.py: the key slices of a reading as a selection."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
from highdicom import ko
from tests.outputs.objects.object_checks import errors_of

from wetread.outputs.objects.key_objects import make_key_objects
from wetread.outputs.objects.study import ObjectStudy

KEYS = ["1.2.3.4", "1.2.3.2"]


def test_it_names_the_key_slices_in_their_order_and_the_use(study: ObjectStudy) -> None:
    data = pydicom.dcmread(BytesIO(make_key_objects(study, KEYS)))
    found = ko.KeyObjectSelectionDocument.from_dataset(data)
    assert [one.referenced_sop_instance_uid for one in found.content.get_references()] == KEYS
    assert found.StudyInstanceUID == "1.2.1"
    texts = [item.TextValue for item in data.ContentSequence if "TextValue" in item]
    assert any("Research use only" in text for text in texts)


def test_it_is_legal(study: ObjectStudy, tmp_path: Path) -> None:
    assert errors_of(make_key_objects(study, KEYS), tmp_path) == []
