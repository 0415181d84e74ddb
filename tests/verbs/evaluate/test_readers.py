"""tests/verbs/evaluate/test_readers.py: readers and a model on the same studies, from files."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.schema import INDEX_SCHEMA
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


def test_readers_of_studies_are_held_against_labels_of_images(tmp_path: Path) -> None:
    studies, given, labels = range(STUDIES), ["level,id,finding,probability"], ["ID,Label"]
    rows = []
    for study in studies:
        for image in range(2):
            name = f"ID_{study:02d}{image}"
            positive = study % 3 == 0 and image == 1
            labels.append(f"{name}_any,{int(positive)}")
            given.append(f"image,{name},any,{0.5 + 0.3 * positive}")
            rows.append((name, f"e{study}", f"s{study}"))
        given.append(f"study,s{study},any,{0.5 + 0.3 * (study % 3 == 0)}")
    (tmp_path / "p.csv").write_text("\n".join(given))
    (tmp_path / "labels.csv").write_text("\n".join(labels))
    calls = [f"s{study},{int(study % 3 == 0 and study % 2 == 0)}" for study in studies]
    (tmp_path / "reads.csv").write_text("\n".join(["name,R1:ICH", *calls]))
    names, series, of_study = (list(column) for column in zip(*rows, strict=True))
    known = {"SOPInstanceUID": names, "SeriesInstanceUID": series, "StudyInstanceUID": of_study,
             "state": ["image"] * len(rows), "PatientID": of_study}  # fmt: skip
    columns = {name: known.get(name, [None] * len(rows)) for name in INDEX_SCHEMA}
    pl.DataFrame(columns, schema=INDEX_SCHEMA).write_parquet(tmp_path / "index.parquet")
    found = evaluate_predictions(
        tmp_path / "p.csv", tmp_path / "labels.csv", readers=tmp_path / "reads.csv",
        data=tmp_path / "index.parquet",
    )  # fmt: skip
    (reader,) = found.readers
    assert (reader.studies, reader.undecided, reader.reference) == (STUDIES, 0, "the labels")
    positives = [study for study in studies if study % 3 == 0]
    assert reader.sensitivity.value == pytest.approx(
        np.mean([study % 2 == 0 for study in positives])
    )


def test_nothing_to_score_against_is_refused_with_the_reason() -> None:
    with pytest.raises(FileNotFoundError):
        evaluate_predictions("absent.csv")


def test_predictions_alone_are_not_scored(files: tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match="give `labels`, or `readers`"):
        evaluate_predictions(files[0])
