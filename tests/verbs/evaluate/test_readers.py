"""tests/verbs/evaluate/test_readers.py: readers and a model on the same studies, from files."""

from pathlib import Path

import numpy as np
import pytest

from wetread.inputs.predictions import read_predictions_of
from wetread.labels.table import LabelError
from wetread.verbs.evaluate.predictions import evaluate_predictions
from wetread.verbs.evaluate.readers import consensus_labels, open_reads

STUDIES = 40


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Probabilities of studies, and calls of three readers of whom the third is often wrong."""
    rng = np.random.default_rng(9)
    truth = np.arange(STUDIES) % 3 == 0
    given = ["level,id,finding,probability"]
    reads = ["name,R1:ICH,R2:ICH,R3:ICH"]
    for study in range(STUDIES):
        value = 0.4 * truth[study] + 0.5 * rng.random()
        given.append(f"study,s{study},any,{value}")
        wrong = int(truth[study]) if study % 4 else 1 - int(truth[study])
        reads.append(f"s{study}.dcm,{int(truth[study])},{int(truth[study])},{wrong}")
    (tmp_path / "p.csv").write_text("\n".join(given))
    (tmp_path / "reads.csv").write_text("\n".join(reads))
    return tmp_path / "p.csv", tmp_path / "reads.csv"


def test_without_labels_the_majority_of_the_readers_is_the_truth(files: tuple[Path, Path]) -> None:
    found = evaluate_predictions(files[0], readers=files[1])
    assert found.truth_of == "the majority of 3 readers"
    auc = found.scores.find("roc_auc", finding="any", level="study")[0]
    assert auc.positives == sum(study % 3 == 0 for study in range(STUDIES))
    by_reader = {one.reader: one for one in found.readers}
    assert by_reader["R1"].studies == sum(study % 4 > 0 for study in range(STUDIES))
    assert by_reader["R3"].sensitivity.value == pytest.approx(
        np.mean([study % 4 > 0 for study in range(0, STUDIES, 3)])
    )
    page = (found.out / "page.html").read_text()
    assert "Readers and the model: any, by study" in page


def test_a_consensus_is_what_most_call_by_the_ids_of_the_predictions(
    files: tuple[Path, Path],
) -> None:
    table = consensus_labels(*open_reads(files[1], read_predictions_of(files[0])))
    assert table.frame.rows() == [
        ("study", f"s{study}", "any", float(study % 3 == 0)) for study in range(STUDIES)
    ]


def test_readers_of_other_studies_are_refused(files: tuple[Path, Path]) -> None:
    files[1].write_text("name,R1:ICH\nelsewhere,1\n")
    with pytest.raises(LabelError, match="none of its 1 studies was predicted"):
        evaluate_predictions(files[0], readers=files[1])


def test_nothing_to_score_against_is_refused_with_the_reason() -> None:
    with pytest.raises(FileNotFoundError):
        evaluate_predictions("absent.csv")


def test_predictions_alone_are_not_scored(files: tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match="give `labels`, or `readers`"):
        evaluate_predictions(files[0])
