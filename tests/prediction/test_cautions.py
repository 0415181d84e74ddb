"""tests/prediction/test_cautions.py: which cautions hold for the mean of several runs."""

import pytest

from wetread.prediction.cautions import CAUTIONS, find_cautions

PATIENTS = {"studies": 5, "phantom_studies": 1}
PHANTOMS = {"studies": 5, "phantom_studies": 5}


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([(PATIENTS, PATIENTS)], ()),
        ([(PHANTOMS, PATIENTS)], ("learned_from_phantoms_alone",)),
        ([(PATIENTS, PHANTOMS)], ("never_scored_on_patients",)),
        ([(PHANTOMS, PHANTOMS)], ("learned_from_phantoms_alone", "never_scored_on_patients")),
        ([(PHANTOMS, PHANTOMS), (PATIENTS, PATIENTS)], ()),  # the mean has learned from patients
        ([(PHANTOMS, PHANTOMS), (PATIENTS, PHANTOMS)], ("never_scored_on_patients",)),
    ],
)
def test_a_caution_holds_where_it_holds_for_every_run(
    runs: list[tuple[dict[str, int], dict[str, int]]], found: tuple[str, ...]
) -> None:
    described = [{"learned_from": learned, "scored_on": scored} for learned, scored in runs]
    assert find_cautions(described) == found
    assert set(found) <= set(CAUTIONS)


def test_one_run_that_does_not_say_what_it_learned_from_leaves_the_mean_unknown() -> None:
    known = {"learned_from": PATIENTS, "scored_on": PATIENTS}
    assert find_cautions([known, {"task": "t"}]) == ("training_data_unknown",)
