"""tests/cli/test_evaluation_text.py: an evaluation as lines of a terminal."""

from dataclasses import replace

from tests.evaluation.test_evaluation import DIFFERENCE
from tests.reports.test_evaluation_page import FOUND

from wetread.cli.evaluation_text import evaluation_lines
from wetread.evaluation.reader_study import Estimate, ReaderScore
from wetread.evaluation.score import Scores
from wetread.evaluation.subgroups import SubgroupScore
from wetread.study.patients import Identity


def test_what_is_known_of_the_models_comes_before_any_number() -> None:
    lines = evaluation_lines(replace(FOUND, cautions=("learned_from_phantoms_alone",)))
    assert lines[0] == "caution: Learned from synthetic phantoms alone, from no patient."
    assert any(line.startswith("roc_auc") for line in lines)
    assert "no score by study: why" in lines


def test_groups_that_differ_beyond_chance_are_named_and_the_others_counted() -> None:
    apart = replace(DIFFERENCE, value=-0.2, low=-0.3, high=-0.1)
    groups = (SubgroupScore("view", "AP", apart), SubgroupScore("view", "PA", DIFFERENCE))
    lines = evaluation_lines(replace(FOUND, subgroups=groups))
    at = lines.index("2 groups compared with the rest by ROC AUC; beyond its interval:")
    assert lines[at + 1] == "  view AP by image: -0.200 [-0.300, -0.100]"
    assert not lines[at + 2].startswith("  view")


def test_a_comparison_says_which_is_subtracted() -> None:
    lines = evaluation_lines(
        replace(FOUND, against="other.csv", comparison=(DIFFERENCE,), headline="any")
    )
    assert "read minus other.csv, in pairs:" in lines
    assert "  roc_auc any by image: +0.100 [+0.000, +0.200]" in lines


def test_patients_that_are_not_known_are_named_so() -> None:
    lines = evaluation_lines(replace(FOUND, identity=Identity("study", "ids", "no file")))
    assert any(line.startswith("patients are not known: no file") for line in lines)
    doubted = Identity("patient", "the headers' PatientID", caution="all ids are new")
    lines = evaluation_lines(replace(FOUND, identity=doubted))
    assert any("but all ids are new: if so, intervals are too narrow" in line for line in lines)


def test_of_calibration_the_headline_alone_is_printed() -> None:
    ece = replace(FOUND.scores[0], metric="ece")
    scores = Scores([ece, replace(ece, finding="another")])
    lines = evaluation_lines(replace(FOUND, scores=scores))
    assert sum(line.startswith("ece") for line in lines) == 1


def test_each_reader_has_sensitivity_specificity_and_the_models_difference() -> None:
    half = Estimate(0.5, 0.3, 0.7)
    reader = ReaderScore(
        "R1", "pneumothorax", "study", "the labels", half, Estimate(0.9, None, None), half,
        Estimate(-0.1, -0.3, 0.1), half, 40, 12, 0,
    )  # fmt: skip
    short = replace(reader, reader="R2", reason="fewer than 5 with it")
    lines = evaluation_lines(replace(FOUND, readers=(reader, short)))
    at = lines.index("readers of pneumothorax by study, against the labels:")
    assert lines[at + 1] == (
        "  R1: sensitivity 0.50, specificity 0.90; model there -0.10 [-0.30, +0.10]"
    )
    assert lines[at + 2] == "  R2: fewer than 5 with it"
