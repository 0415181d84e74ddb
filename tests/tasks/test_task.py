"""tests/tasks/test_task.py: what a task's parts say together."""

from dataclasses import replace
from pathlib import Path

import pytest

from wetread.labels.finding import Finding
from wetread.tasks import TASKS, find_task
from wetread.tasks.task import Phantoms


def written(*args: object, **words: object) -> None:
    """A writer of phantoms that writes none."""


def written_enriched(*args: object, **words: object) -> None:
    """Another writer of phantoms that writes none."""


def test_the_headline_s_column_is_the_first_where_images_do_not_have_it() -> None:
    task = find_task("hemorrhage")
    assert task.at("image")[task.headline_column].name == "any"
    exams = find_task("embolism")
    assert exams.headline not in [finding.name for finding in exams.at("image")]
    assert exams.headline_column == 0


def test_levels_are_told_apart_only_where_studies_have_findings_of_their_own() -> None:
    assert find_task("hemorrhage").at("study") == find_task("hemorrhage").at("image")
    exams = find_task("embolism")
    assert {finding.level for finding in exams.at("study")} == {"study"}
    assert exams.findings == (*exams.at("image"), *exams.at("study"))


def test_what_is_learned_from_is_written_enriched_where_a_task_can() -> None:
    plain = Phantoms(written, "labels.csv")
    assert plain.write_to_learn is written
    assert replace(plain, enriched=written_enriched).write_to_learn is written_enriched


def test_patients_are_named_in_a_file_where_headers_do_not_name_them() -> None:
    plain = Phantoms(written, "labels.csv")
    assert plain.patients_file(Path("a")) is None
    assert replace(plain, patients="p.csv").patients_file(Path("a")) == Path("a/p.csv")


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_sample_submission_that_is_none_is_refused_in_every_form(
    name: str, tmp_path: Path
) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text("nothing,here\n1,2\n")
    task = TASKS[name]
    with pytest.raises(ValueError, match=r"sample\.csv: no column"):
        task.submission.check_sample(sample, task.at("image"))


def test_masks_beside_phantoms_are_of_what_the_encoders_draw() -> None:
    exams = find_task("embolism")
    drawn = set(exams.phantoms.masks.values())
    assert all(isinstance(finding, Finding) and finding.level == "pixel" for finding in drawn)
    assert len(drawn) == 3
