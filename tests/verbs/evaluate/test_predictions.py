"""tests/verbs/evaluate/test_predictions.py: predictions of given data, from files to scores."""

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import metrics
from tests.verbs.evaluate.conftest import FILMS, Films

from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.labels.table import LabelError
from wetread.tasks import find_task
from wetread.verbs.evaluate.predictions import evaluate_predictions


def test_a_folder_of_readings_has_the_scores_of_scikit_learn(films: Films) -> None:
    found = evaluate_predictions(films.folder, films.labels, patients=films.patients)
    value = {(one.level, one.metric): one.value for one in found.scores}
    true, given = films.truth, films.probability
    assert value["image", "roc_auc"] == pytest.approx(metrics.roc_auc_score(true, given))
    assert value["image", "log_loss"] == pytest.approx(metrics.log_loss(true, given))
    assert value["image", "brier"] == pytest.approx(metrics.brier_score_loss(true, given))
    assert value["image", "log_loss_prior"] == pytest.approx(np.log(2))
    # Of each positive half its mask was drawn, 2 * 32 / (64 + 32); negatives were left empty.
    assert value["pixel", "dice"] == pytest.approx((2 / 3 + 1) / 2)
    assert value["pixel", "dice_all_empty"] == pytest.approx(0.5)
    assert {one.patients for one in found.scores if one.metric == "roc_auc"} == {FILMS // 2}


def test_levels_without_truth_are_absent_with_their_reason(films: Films) -> None:
    found = evaluate_predictions(films.folder, films.labels)
    assert found.absent["study"] == "each study has one image: it is scored as the image"
    assert found.absent["series"] == "each study has one series: it is scored as the study"
    assert {one.level for one in found.scores} == {"image", "pixel"}


def test_what_does_not_meet_is_counted_and_named(films: Films) -> None:
    text = films.labels.read_text().replace("i3,", "elsewhere,")
    films.labels.write_text(text)
    found = evaluate_predictions(films.folder, films.labels)
    assert found.counts["labels_without_prediction"] == 1
    assert found.counts["predictions_without_label"] == 1
    unmatched = pl.read_csv(found.out / "unmatched.csv")
    assert set(unmatched["id"]) == {"elsewhere", "i3"}


def test_scores_and_page_lie_next_to_the_predictions_and_are_written_again(films: Films) -> None:
    found = evaluate_predictions(films.folder, films.labels)
    assert found.out == films.folder.with_name("read-evaluation")
    values = json.loads((found.out / "scores.json").read_text())
    assert values == json.loads(json.dumps(found.to_dict()))
    page = (found.out / "page.html").read_text()
    assert page.index("Learned from synthetic phantoms alone") < page.index("Scores by image")
    again = evaluate_predictions(films.folder, films.labels)
    assert again.to_dict() == found.to_dict()


def test_headers_tell_patients_and_groups(films: Films) -> None:
    found = evaluate_predictions(films.folder, films.labels)
    assert found.identity.unit == "patient"
    (one,) = (s for s in found.subgroups
              if (s.group, s.difference.metric) == ("AP", "roc_auc"))  # fmt: skip
    odd = slice(1, None, 2)
    assert one.difference.first == pytest.approx(
        metrics.roc_auc_score(films.truth[odd], films.probability[odd])
    )


def test_studies_unlike_what_was_learned_are_a_group(films: Films) -> None:
    for number, file in enumerate(sorted((films.folder / "readings").glob("*.json"))):
        reading = json.loads(file.read_text())
        reading["in_distribution"] = {"inside": number % 2 == 0, "reasons": []}
        file.write_text(json.dumps(reading))
    found = evaluate_predictions(films.folder, films.labels)
    groups = {one.group: one.difference.rows for one in found.subgroups
              if one.attribute == "what was learned"}  # fmt: skip
    assert groups == {"inside": FILMS // 2, "outside": FILMS // 2}


def test_two_predictions_are_compared_on_the_same_patients(films: Films, tmp_path: Path) -> None:
    worse = pl.read_csv(films.folder / "probabilities.csv")
    worse.with_columns(probability=1 - pl.col("probability")).write_csv(tmp_path / "worse.csv")
    found = evaluate_predictions(films.folder, films.labels, against=tmp_path / "worse.csv")
    (auc,) = (one for one in found.comparison if one.metric == "roc_auc")
    area = metrics.roc_auc_score(films.truth, films.probability)
    assert auc.value == pytest.approx(area - (1 - area))
    assert auc.apart
    assert "worse.csv" in (found.out / "page.html").read_text()


def test_other_predictions_of_more_patients_than_these_are_compared_on_these(
    films: Films, tmp_path: Path
) -> None:
    given = pl.read_csv(films.folder / "probabilities.csv")
    beyond = given.head(2).with_columns(id=pl.lit("nobody's"))
    pl.concat([given, beyond]).write_csv(tmp_path / "more.csv")
    found = evaluate_predictions(
        films.folder, films.labels, patients=films.patients, against=tmp_path / "more.csv"
    )
    (auc,) = (one for one in found.comparison if one.metric == "roc_auc")
    assert (auc.rows, auc.value) == (FILMS, 0.0)


def test_a_table_of_probabilities_alone_has_no_studies_and_says_so(
    films: Films, tmp_path: Path
) -> None:
    table = pl.read_csv(films.folder / "probabilities.csv")
    table.write_csv(tmp_path / "p.csv")
    found = evaluate_predictions(tmp_path / "p.csv", films.labels, patients=films.patients)
    assert "give the archive with `data`" in found.absent["study"]
    assert found.subgroups == ()
    with_index = evaluate_predictions(
        tmp_path / "p.csv",
        films.labels,
        patients=films.patients,
        data=films.folder / "index.parquet",
    )
    assert with_index.subgroups


def test_a_submission_of_masks_is_scored_by_the_pixel(films: Films, tmp_path: Path) -> None:
    submission = tmp_path / "masks.csv"
    submission.write_text(films.labels.read_text())
    found = evaluate_predictions(
        submission, films.labels, patients=films.patients, data=films.folder / "index.parquet"
    )
    assert found.absent["image"] == "the file has masks and no probability"
    value = {one.metric: one.value for one in found.scores}
    assert value["dice"] == 1.0


def test_labels_of_other_images_are_refused_with_the_reason(films: Films, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("ImageId,EncodedPixels\nx,-1\n")
    with pytest.raises(LabelError, match="no label of the 40 images is known"):
        evaluate_predictions(films.folder, other)
    assert not (tmp_path / "read-evaluation").exists()


def test_a_folder_with_files_of_others_is_not_written_to(films: Films, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=re.escape("notes.txt")):
        evaluate_predictions(films.folder, films.labels, out=tmp_path / "mine")


def test_flags_of_the_readings_are_held_against_what_their_run_promised(films: Films) -> None:
    for file in (films.folder / "readings").glob("*.json"):
        reading = json.loads(file.read_text())
        reading["provenance"]["operating_point"] = {
            "threshold": 0.35, "sensitivity": {"value": 0.95}, "specificity": {"value": 0.6},
        }  # fmt: skip
        file.write_text(json.dumps(reading))
    found = evaluate_predictions(films.folder, films.labels, thresholds=(0.5,))
    value = {one.metric: one.value for one in found.scores if one.level == "image"}
    called = films.probability >= 0.35
    assert value["sensitivity_from_0.35"] == pytest.approx(called[films.truth == 1].mean())
    assert value["specificity_from_0.35"] == pytest.approx((~called)[films.truth == 0].mean())
    assert value["sensitivity_from_0.5"] == value["recall"]
    assert found.promised == {"sensitivity_from_0.35": 0.95, "specificity_from_0.35": 0.6}
    assert "sensitivity from 0.35 on, by image" in (found.out / "page.html").read_text()


def test_exams_are_scored_with_subgroups_of_the_level_that_has_the_headline(
    tmp_path: Path,
) -> None:
    exams, slices = 12, 3
    task = find_task("embolism")
    names = [finding.name for finding in task.at("study")]
    image = task.at("image")[0].name
    listed = [name for name in names if name != "positive_exam"]  # it is derived
    header = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", image, *listed]
    lines, rows, columns = [",".join(header)], [], []
    for exam in range(exams):
        positive = exam % 2
        truth = dict.fromkeys(names, 0) | {
            "negative_exam_for_pe": 1 - positive, "rightsided_pe": positive,
            "rv_lv_ratio_lt_1": positive, "positive_exam": positive,
        }  # fmt: skip
        for z in range(slices):
            ids = (f"s{exam}", f"e{exam}", f"i{exam}-{z}")
            values = [truth[name] for name in listed]
            lines.append(",".join([*ids, str(positive), *map(str, values)]))
            columns.append((*ids, "CT", "F" if exam % 4 < 2 else "M", f"p{exam}", "image"))
            rows.append(("image", ids[2], image, 0.2 + 0.5 * positive))
        rows += [("study", f"s{exam}", name, 0.1 + 0.6 * truth[name]) for name in names]
    (tmp_path / "train.csv").write_text("\n".join(lines))
    table = pl.DataFrame(rows, schema=["level", "id", "finding", "probability"], orient="row")
    table.write_csv(tmp_path / "p.csv")
    keys = ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Modality", "PatientSex",
            "PatientID", "state"]  # fmt: skip
    known = pl.DataFrame(columns, schema=keys, orient="row")
    empty = pl.DataFrame(schema=INDEX_SCHEMA)
    index = pl.concat([empty, known], how="diagonal_relaxed")
    index.write_parquet(tmp_path / "index.parquet")
    found = evaluate_predictions(
        tmp_path / "p.csv", tmp_path / "train.csv", task="embolism",
        data=tmp_path / "index.parquet",
    )  # fmt: skip
    levels = {one.difference.level for one in found.subgroups if one.attribute == "sex"}
    assert levels == {"study"}
    assert found.scores.find("roc_auc", finding="positive_exam", level="study")[0].value == 1.0
