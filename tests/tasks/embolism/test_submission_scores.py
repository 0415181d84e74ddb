"""tests/tasks/embolism/test_submission_scores.py: exam files scored as the competition does."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from wetread.cli.text import submission_lines
from wetread.evaluation.score import Score
from wetread.evaluation.submission import SubmissionScores
from wetread.labels.exams import Exams, exam_index
from wetread.labels.table import LabelError
from wetread.prediction import consistency
from wetread.tasks.embolism.consistency import COSTS
from wetread.tasks.embolism.findings import EXAM_FINDINGS, EXAM_NAMES, IMAGE_FINDING, POSITIVE_EXAM
from wetread.tasks.embolism.label_csv import read_exam_csv, read_exam_submission
from wetread.tasks.embolism.metric import best_constants, constant_exams, exam_loss
from wetread.tasks.embolism.submission import write_exam_submission
from wetread.tasks.embolism.submission_scores import score_exam_submission

make_consistent = partial(consistency.make_consistent, costs=COSTS)

FINDINGS = (*EXAM_FINDINGS, IMAGE_FINDING, POSITIVE_EXAM)
EXAMS = 60
PRIOR = (np.full(9, 0.1), 0.2)


def truth_rows(rng: np.random.Generator) -> pl.DataFrame:
    """A wide file's rows: half of the exams positive, 2 to 6 images each."""
    rows = []
    for exam in range(EXAMS):
        positive, size = exam % 2 == 0, int(rng.integers(2, 7))
        labels = dict.fromkeys(EXAM_NAMES, 0)
        if positive:
            labels |= {"leftsided_pe": 1, "central_pe": int(rng.integers(0, 2))}
            labels[str(rng.choice(["rv_lv_ratio_gte_1", "rv_lv_ratio_lt_1"]))] = 1
        else:
            labels["indeterminate" if exam % 5 == 0 else "negative_exam_for_pe"] = 1
        for image in range(size):
            present = int(positive and (image == 0 or rng.random() < 0.4))
            ids = {"StudyInstanceUID": f"s{exam}", "SeriesInstanceUID": f"r{exam}"}
            ids["SOPInstanceUID"] = f"i{exam}.{image}"
            rows.append({**ids, "pe_present_on_image": present, **labels})
    return pl.DataFrame(rows)


class Case:
    """Truth and submission as files, and as the arrays they were made from."""

    def __init__(self, folder: Path, drop: tuple[str, ...] = (), consistent: bool = False) -> None:
        rng = np.random.default_rng(0)
        rows = truth_rows(rng)
        rows.sample(fraction=1, shuffle=True, seed=1).write_csv(folder / "train.csv")
        self.truth = read_exam_csv(folder / "train.csv", FINDINGS)
        self.index = exam_index(self.truth.exams)
        labels = {row["SOPInstanceUID"]: row for row in rows.to_dicts()}
        first = [self.index.frame["image"][int(start)] for start in self.index.starts[:-1]]
        study = np.array([[labels[image][name] for name in EXAM_NAMES] for image in first], float)
        image = [labels[name]["pe_present_on_image"] for name in self.index.frame["image"]]
        self.labels = Exams(study, np.array(image, float), self.index.starts)
        said = [
            np.clip(0.4 * part + 0.7 * rng.random(part.shape) - 0.05, 0, 1)
            for part in (self.labels.study, self.labels.image)
        ]
        self.said = Exams(said[0], said[1], self.index.starts)
        if consistent:
            self.said = make_consistent(self.said)
        write_exam_submission(folder / "all.csv", self.index, self.said, PRIOR)
        told = pl.read_csv(folder / "all.csv").filter(~pl.col("id").is_in(drop))
        told.sample(fraction=1, shuffle=True, seed=2).write_csv(folder / "said.csv")
        self.submission = read_exam_submission(folder / "said.csv", FINDINGS)

    def score(self, patients: dict[str, str] | None = None) -> SubmissionScores:
        rng = np.random.default_rng(0)
        return score_exam_submission(
            self.truth, self.submission, FINDINGS, "held_out", rng, patients
        )


def find(result: SubmissionScores, metric: str, finding: str = "all") -> Score:
    (score,) = (s for s in result.scores if (s.metric, s.finding) == (metric, finding))
    return score


def test_the_official_metric_through_files_is_that_of_the_arrays(tmp_path: Path) -> None:
    case = Case(tmp_path)
    result = case.score()
    expected = exam_loss(case.labels, case.said)
    assert find(result, "weighted_log_loss").value == pytest.approx(expected, abs=1e-12)
    prior = exam_loss(case.labels, constant_exams(case.labels, *best_constants(case.labels)))
    assert find(result, "weighted_log_loss_prior").value == pytest.approx(prior, abs=1e-12)
    assert prior > expected
    assert result.missing == result.too_many == ()


def test_its_two_parts_are_the_losses_of_exams_and_of_images(tmp_path: Path) -> None:
    case = Case(tmp_path)
    result = case.score()
    alone = Exams(case.labels.study, np.zeros(0), np.zeros(EXAMS + 1, dtype=np.int64))
    said = replace(alone, study=case.said.study)
    exam_part = find(result, "exam_log_loss")
    assert exam_part.value == pytest.approx(exam_loss(alone, said), abs=1e-12)
    truth = replace(case.labels, study=np.full((EXAMS, 9), np.nan))
    image_part = find(result, "image_log_loss")
    assert image_part.value == pytest.approx(exam_loss(truth, case.said), abs=1e-12)
    assert (exam_part.level, image_part.level) == ("study", "image")


def test_each_finding_is_scored_and_the_ratio_over_positive_exams_alone(tmp_path: Path) -> None:
    case = Case(tmp_path)
    result = case.score()
    central, ratio = EXAM_NAMES.index("central_pe"), EXAM_NAMES.index("rv_lv_ratio_gte_1")
    truth, said = case.labels.study, case.said.study
    assert find(result, "roc_auc", "central_pe").value == pytest.approx(
        roc_auc_score(truth[:, central], said[:, central])
    )
    positive = truth[:, [EXAM_NAMES.index("negative_exam_for_pe"), 8]].sum(axis=1) == 0
    assert find(result, "roc_auc", "rv_lv_ratio_gte_1").value == pytest.approx(
        roc_auc_score(truth[positive, ratio], said[positive, ratio])
    )
    assert find(result, "log_loss", "pe_present_on_image").value == pytest.approx(
        log_loss(case.labels.image, case.said.image.clip(1e-15, 1 - 1e-15))
    )
    assert find(result, "log_loss_prior", "central_pe").value is not None
    assert {score.finding for score in result.scores} == {"all", IMAGE_FINDING.name, *EXAM_NAMES}


def test_an_exam_that_contradicts_itself_is_counted_and_its_rules_named(tmp_path: Path) -> None:
    case = Case(tmp_path)
    result = case.score()
    counted = find(result, "inconsistent_exams")
    assert counted.value == len(result.broken) > 0
    assert counted.level == "study"
    study, rules = next(iter(result.broken.items()))
    exam = case.index.studies.index(study)
    if (case.said.select(exam).image > 0.5).any():
        assert set(rules) <= {"1a", "1b", "1c", "1d"}
    else:
        assert set(rules) <= {"2a", "2b"}
    lines = submission_lines(result)
    assert f"{len(result.broken)} exams contradict themselves:" in lines
    assert f"  {study}: rule {', '.join(rules)}" in lines
    assert lines[-1] == f"  ... and {len(result.broken) - 10} more (--json lists all)"


def test_a_consistent_submission_breaks_no_rule_when_it_is_read_again(tmp_path: Path) -> None:
    result = Case(tmp_path, consistent=True).score()
    assert find(result, "inconsistent_exams").value == 0
    assert result.broken == {}
    assert submission_lines(result)[-1] == "0 exams contradict themselves"


@pytest.mark.parametrize("lost", ["s3_central_pe", "i4.0"])
def test_a_missing_probability_is_listed_and_leaves_the_official_metric_without_value(
    tmp_path: Path, lost: str
) -> None:
    result = Case(tmp_path, drop=(lost,)).score()
    assert result.missing == (lost,)
    assert find(result, "weighted_log_loss").value is None
    assert find(result, "weighted_log_loss").reason == "1 probabilities are missing"
    assert find(result, "inconsistent_exams").value is None
    assert find(result, "inconsistent_exams").reason == "1 exam is not whole"
    assert submission_lines(result)[-1].endswith("contradict themselves: 1 exam is not whole")
    finding = "central_pe" if "central" in lost else IMAGE_FINDING.name
    assert find(result, "roc_auc", finding).value is None
    assert find(result, "roc_auc", "leftsided_pe").value is not None
    untouched = "image_log_loss" if "central" in lost else "exam_log_loss"
    assert find(result, untouched).value is not None


def test_a_missing_undefined_ratio_is_missing_for_the_competition_alone(tmp_path: Path) -> None:
    result = Case(tmp_path, drop=("s1_rv_lv_ratio_gte_1",)).score()
    assert result.missing == ("s1_rv_lv_ratio_gte_1",)
    assert find(result, "weighted_log_loss").value is None


def test_ids_too_many_are_listed_and_not_scored(tmp_path: Path) -> None:
    case = Case(tmp_path)
    more = pl.DataFrame({
        "level": ["study", "image"], "id": ["s99", "i99"],
        "finding": ["central_pe", IMAGE_FINDING.name], "value": [0.5, 0.5],
    })  # fmt: skip
    added = replace(case.submission, frame=pl.concat([case.submission.frame, more]))
    rng = np.random.default_rng(0)
    result = score_exam_submission(case.truth, added, FINDINGS, "held_out", rng)
    assert result.too_many == ("s99_central_pe", "i99")
    assert find(result, "weighted_log_loss").value == find(case.score(), "weighted_log_loss").value


def test_without_patients_there_are_no_intervals_and_it_is_said(tmp_path: Path) -> None:
    score = find(Case(tmp_path).score(), "weighted_log_loss")
    assert (score.low, score.high, score.patients) == (None, None, 0)
    assert score.reason == "no interval: patients are not given"


def test_patients_of_studies_and_of_images_give_the_same_intervals(tmp_path: Path) -> None:
    case = Case(tmp_path)
    of_study = {f"s{exam}": f"p{exam // 2}" for exam in range(EXAMS)}
    of_image = {
        image: of_study[study]
        for image, study in case.index.frame.select("image", "study").iter_rows()
    }
    first, second = case.score(of_study), case.score(of_image)
    assert first.scores == second.scores
    score = find(first, "weighted_log_loss")
    assert score.low is not None
    assert score.high is not None
    assert score.value is not None
    assert score.low < score.value < score.high
    assert score.patients == EXAMS // 2
    assert score.positives == EXAMS // 2


def test_patients_that_are_missing_or_two_of_one_exam_are_refused(tmp_path: Path) -> None:
    case = Case(tmp_path)
    with pytest.raises(LabelError, match="is not given"):
        case.score({"s0": "p0"})
    each = {image: image for image in case.index.frame["image"]}
    with pytest.raises(LabelError, match=r"exam 's\d+' are given to \d patients"):
        case.score(each)


def test_a_truth_of_exams_alone_scores_exams_alone(tmp_path: Path) -> None:
    case = Case(tmp_path)
    path = tmp_path / "exams.csv"
    pl.DataFrame(
        {
            "StudyInstanceUID": case.index.studies,
            **dict(zip(EXAM_NAMES, case.labels.study.T, strict=True)),
        }
    ).write_csv(path)
    truth = read_exam_csv(path, FINDINGS)
    rng = np.random.default_rng(0)
    result = score_exam_submission(truth, case.submission, FINDINGS, "held_out", rng)
    assert find(result, "weighted_log_loss").value is None
    assert find(result, "weighted_log_loss").reason == "truth labels no image"
    known = find(case.score(), "exam_log_loss").value
    assert find(result, "exam_log_loss").value == pytest.approx(known, abs=1e-12)
    assert find(result, "inconsistent_exams").value is None
