"""tests/verbs/task/test_check.py: what a task would learn is counted before it is learned."""

from collections.abc import Callable
from pathlib import Path

from wetread.verbs.task.check import check_task
from wetread.verbs.task.show import show_task

TASK = """
modalities = ["CT"]
[[findings]]
name = "bleeding"
[[labels]]
id = "patient"
id_of = "patient"
"""


def test_labels_of_patients_are_counted_by_their_studies(
    write_ct_once: Callable[..., Path], tmp_path: Path
) -> None:
    source = write_ct_once(2, PatientID="p", StudyInstanceUID="1.7")
    write_ct_once(2, PatientID="p", StudyInstanceUID="1.8")
    write_ct_once(2, PatientID="q", StudyInstanceUID="1.9")
    task, labels = tmp_path / "mine.toml", tmp_path / "labels.csv"
    task.write_text(TASK)
    labels.write_text("patient,bleeding\np,1\nr,0\n")
    found = check_task(task, [labels], data=source, workers=1)
    (bleeding,) = found.counts
    assert (bleeding.level, bleeding.positive, bleeding.negative, bleeding.unknown) == (
        "study", 2, 0, 1,
    )  # fmt: skip
    assert (found.studies, found.missed, found.refused) == (3, (), 1)
    assert found.named == 1
    assert found.to_dict()["findings"] == [vars(bleeding)]
    assert show_task(task) == TASK
