"""tests/verbs/evaluate/test_matches.py: ids of predictions and labels that meet, and do not."""

from tests.verbs.evaluate.conftest import Films

from wetread.inputs.predictions import read_predictions_of
from wetread.labels.rle_csv import read_rle_csv
from wetread.tasks import find_task
from wetread.verbs.evaluate.matches import count_matches, existing_ids, unmatched_ids

TASK = find_task("pneumothorax")


def test_labels_and_predictions_that_do_not_meet_are_listed_by_problem(films: Films) -> None:
    text = films.labels.read_text().replace("i7,", "other,")
    films.labels.write_text(text + "i8,-1\n")  # i8 is positive
    given = read_predictions_of(films.folder)
    truth = read_rle_csv(films.labels, TASK.findings)
    unmatched = unmatched_ids(given, truth)
    found = {(name, problem) for _, name, problem in unmatched.iter_rows()}
    assert found == {
        ("other", "label without prediction"),
        ("i7", "prediction without label"),
        ("i8", "prediction without label"),
        ("i8", "label in conflict with itself"),
    }
    counts = count_matches(given, truth, unmatched)
    assert (counts["predicted_images"], counts["predicted_studies"]) == (40, 40)
    assert (counts["labels_without_prediction"], counts["labels_in_conflict"]) == (1, 1)


def test_ids_of_the_archive_exist_though_nothing_was_predicted_of_them(films: Films) -> None:
    ids = existing_ids(read_predictions_of(films.folder))
    assert "i39" in ids["image"]
    assert "s0" in ids["study"]
