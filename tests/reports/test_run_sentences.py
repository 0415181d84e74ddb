"""tests/reports/test_run_sentences.py: no sentence of a run's page says a number its tables have
not."""

import json
import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, cast

import pytest

from wetread.reports.run_sentences import origin_sentence, score_caution, summary_sentence
from wetread.training.predictions import LevelPredictions
from wetread.verbs.train.train import TrainResult


@dataclass(frozen=True)
class Judged:
    ids: tuple[str, ...]
    patients: tuple[str, ...]
    split: str


def part(slices: int, patients: int) -> dict[str, int]:
    return {"slices": slices, "patients": patients}


def words(parts: dict[str, Any], scored: Judged, first: int = 0) -> str:
    about = {"patients_from": "the headers' PatientID", "counts": {}}
    return summary_sentence(about, parts, cast(LevelPredictions, scored), first)


def test_what_was_learned_from_is_not_all_that_had_a_label() -> None:
    parts = {"train": part(6882, 222), "validation": part(984, 40), "held_out": part(1967, 77)}
    scored = Judged(("i",) * 1967, tuple(str(i % 77) for i in range(1967)), "held_out")
    stated = words(parts, scored)
    assert stated.startswith(
        "Learned from 6882 labelled images of 222 patients; 984 images of 40 other patients chose "
        "what is kept; judged on 1967 images of 77 patients held out"
    )
    assert "9833" not in stated


def test_where_nothing_was_kept_aside_to_choose_none_is_said_to_have_chosen() -> None:
    parts = {"train": part(1, 1), "validation": part(0, 0), "held_out": part(2, 1)}
    stated = words(parts, Judged(("a", "b"), ("p", "p"), "held_out"), first=300)
    assert "chose" not in stated
    assert "Learned from 1 labelled image of 1 patient, after 300 studies of phantoms;" in stated


def test_of_folds_all_are_learned_from_by_models_of_the_others() -> None:
    parts = {"0": part(10, 3), "1": part(12, 4)}
    scored = Judged(("i",) * 22, tuple("abcdefg") * 3 + ("a",), "out_of_fold")
    stated = words(parts, scored)
    assert "22 labelled images of 7 patients in 2 folds, each fold read by a model" in stated


@pytest.mark.parametrize("which", ["one_split", "two_folds"])
def test_every_number_of_the_first_sentence_stands_in_the_tables(
    which: str, request: pytest.FixtureRequest
) -> None:
    result: TrainResult = request.getfixturevalue(which)
    page = unescape((result.run / "page.html").read_text())
    (lead,) = re.findall(r'<p class="lead">(.*?)</p>', page)
    parts = json.loads((result.run / "folds.json").read_text())["proof"]["parts"]
    there = {number for one in parts.values() for number in (one["slices"], one["patients"])}
    there |= {sum(one[key] for one in parts.values()) for key in ("slices", "patients")}
    there |= {len(parts)}
    assert set(map(int, re.findall(r"\d+", lead))) <= there
    assert int(re.findall(r"Learned from (\d+)", lead)[0]) == (
        parts["train"]["slices"] if which == "one_split" else result.counts["labelled_images"]
    )
    rows = re.findall(r"<tr><td>[^<]+</td><td>(\d+)</td><td>(\d+)</td>", page)
    assert rows == [(str(one["patients"]), str(one["slices"])) for one in parts.values()]
    assert '<span class="badge">synthetic phantoms</span>' in page


def origin(learned: tuple[int, int], scored: tuple[int, int]) -> tuple[str, str]:
    parts = {"learned_from": learned, "scored_on": scored}
    counted = {name: {"studies": n, "phantom_studies": drawn} for name, (n, drawn) in parts.items()}
    return origin_sentence(counted)


def test_a_run_of_patients_has_no_badge_and_a_mixed_one_says_how_many() -> None:
    assert origin((9, 0), (3, 0)) == (
        "",
        "Learned from 9 studies of patients; scored on 3 studies of patients.",
    )
    assert origin((9, 9), (3, 3))[0] == "synthetic phantoms"
    badge, stated = origin((9, 9), (1, 0))
    assert badge == "partly synthetic phantoms"
    assert stated.startswith("Learned from 9 studies of phantoms; scored on 1 study of patients.")
    _, stated = origin((9, 2), (3, 1))
    assert "from 7 studies of patients and 2 of phantoms; scored on 2 studies of patients" in stated


def test_scores_of_phantoms_alone_are_called_so_wherever_they_stand() -> None:
    def caution(scored: tuple[int, int]) -> str:
        counted = {"studies": scored[0], "phantom_studies": scored[1]}
        return score_caution({"scored_on": counted})

    assert caution((3, 3)) == "of phantoms, no patient"
    assert caution((3, 2)) == caution((3, 0)) == caution((0, 0)) == score_caution({}) == ""


def test_a_run_with_grafts_says_into_which_share_of_the_negatives() -> None:
    counted = {"studies": 9, "phantom_studies": 0}
    stated = origin_sentence({"learned_from": {**counted, "grafts": 0.25}, "scored_on": counted})
    assert stated[0] == ""
    assert "painted into 25% of the negative images" in stated[1]
    without = origin_sentence({"learned_from": {**counted, "grafts": 0.0}, "scored_on": counted})
    assert "painted" not in without[1]


def test_the_page_states_that_refitted_networks_were_not_scored() -> None:
    counted = {"studies": 9, "phantom_studies": 0}
    _, stated = origin_sentence({"learned_from": counted, "scored_on": counted, "refit_epochs": 7})
    assert "read by networks of all these patients (7 epochs), which were not scored" in stated


def test_a_run_of_before_does_not_claim_patients(tmp_path: Path) -> None:
    badge, stated = origin_sentence({"task": "hemorrhage"})
    assert badge == ""
    assert "was not kept" in stated


def test_images_with_a_label_by_their_study_alone_are_counted() -> None:
    about = {"patients_from": "the headers' PatientID", "counts": {"labelled_by_study": 9}}
    scored = cast(LevelPredictions, Judged(("i",) * 4, ("a", "b") * 2, "held_out"))
    parts = {"train": part(8, 4), "validation": part(0, 0), "held_out": part(4, 2)}
    said = summary_sentence(about, parts, scored, 0)
    assert "9 of the images have a label by their study alone." in said
