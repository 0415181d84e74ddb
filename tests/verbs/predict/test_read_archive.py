"""tests/verbs/predict/test_read_archive.py: every study has a reading, read or not."""

import numpy as np

from wetread.outputs.masks import describe_mask
from wetread.verbs.predict.read_archive import ReadArchive, archive_readings


def test_studies_that_are_read_come_first_and_those_of_other_modalities_say_why(
    read_archive: ReadArchive,
) -> None:
    read, other = archive_readings(read_archive, [])
    assert (read.study_uid, read.state, len(read.slices)) == ("1.7", "read", 5)
    assert [reject.reason for reject in read.rejects] == ["localizer"]
    assert (other.study_uid, other.reason) == ("1.99", "other_modality")
    assert other.detail == "images of Modality 2 MR; CT is read"
    for one in (read, other):
        assert one.cautions == ("never_scored_on_patients",)
        assert one.findings == read_archive.names.study
        assert one.provenance["models"][0]["checkpoint"] == "run/model-0/best.pt"


def test_the_finding_that_orders_key_slices_is_the_headline(read_archive: ReadArchive) -> None:
    names = read_archive.names
    assert names.image[names.key] == read_archive.task.headline == "any"
    (read, _) = archive_readings(read_archive, [])
    order = np.argsort(-read_archive.answers.image[:, names.key], kind="stable")
    uids = read_archive.store.slices["SOPInstanceUID"]
    assert read.key_slices == tuple(uids[int(row)] for row in order)


def test_what_was_drawn_stands_with_the_study_of_its_image(read_archive: ReadArchive) -> None:
    mask = describe_mask(np.ones((2, 2), bool), "1.9.0.3", "subdural")
    read, other = archive_readings(read_archive, [mask])
    assert [one["image"] for one in read.masks] == ["1.9.0.3"]
    assert other.masks == ()
