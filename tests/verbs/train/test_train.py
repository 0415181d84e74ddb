"""tests/verbs/train/test_train.py: archive and labels in, a run that can be checked out."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.metrics import log_loss, roc_auc_score

from wetread.archive.identity.pseudonym import pseudonym
from wetread.archive.identity.user_key import user_key
from wetread.evaluation.score import Score
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.phantoms.head.archive import label_matrix
from wetread.tasks import find_task
from wetread.training.predictions import FILE
from wetread.training.run import Run
from wetread.verbs.predict.predict import predict
from wetread.verbs.train.train import TrainResult

Learn = Callable[..., TrainResult]
FINDINGS = find_task("hemorrhage").findings
BASELINES = ("prior", "position", "histogram", "header")
LAST_PT_WITHIN_S = 120.0


def predictions(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / FILE)


def images(run: Path) -> pl.DataFrame:
    return predictions(run).filter(pl.col("level") == "image")


def metrics(run: Path) -> str:
    return "".join(file.read_text() for file in sorted(run.glob("model-*/metrics.jsonl")))


def test_a_run_holds_its_proof_its_predictions_its_scores_and_a_page(
    one_split: TrainResult,
) -> None:
    run = one_split.run
    about = json.loads((run / "about.json").read_text())
    assert about["task"] == "hemorrhage"
    assert about["findings"] == [finding.name for finding in FINDINGS]
    folds = json.loads((run / "folds.json").read_text())
    assert folds["parts"] == ["train", "validation", "held_out"]
    assert folds["proof"]["shared_patients"] == 0
    assert (run / "page.html").read_text().startswith("<!")
    assert (
        json.loads((run / "scores.json").read_text())["scores"]
        == one_split.scores.to_dict()["scores"]
    )
    assert set(images(run)["patient"]) == {
        patient for patient, part in folds["assignment"].items() if part == "held_out"
    }


def test_a_run_counts_what_it_learned_from_as_its_proof_does(one_split: TrainResult) -> None:
    about = json.loads((one_split.run / "about.json").read_text())
    parts = json.loads((one_split.run / "folds.json").read_text())["proof"]["parts"]
    for name, part in (("learned_from", "train"), ("chosen_on", "validation"),
                       ("scored_on", "held_out")):  # fmt: skip
        assert about[name]["images"] == parts[part]["slices"]
        assert about[name]["patients"] == parts[part]["patients"]
        assert about[name]["studies"] == about[name]["phantom_studies"] > 0
    assert about["learned_from"]["grafts"] == 0
    assert about["scored_on"]["studies"] == images(one_split.run)["study"].n_unique()


def test_scores_have_the_form_of_the_design_and_their_baselines_beside(
    one_split: TrainResult,
) -> None:
    keys = {field.name for field in fields(Score)}
    assert keys == {
        *("metric", "finding", "level", "split", "value"),
        *("low", "high", "patients", "positives", "reason"),
    }
    assert all(set(row) == keys for row in one_split.scores.to_dict()["scores"])
    assert {row.split for row in one_split.scores} == {"held_out"}
    assert all(row.reason for row in one_split.scores if row.value is None)
    told = {(row.metric, row.finding, row.level) for row in one_split.scores}
    for level in ("image", "study"):
        for metric, finding in (
            ("weighted_log_loss", "all"),
            *((m, f.name) for m in ("roc_auc", "average_precision") for f in FINDINGS),
        ):
            assert (metric, finding, level) in told
            assert {(f"{metric}_{name}", finding, level) for name in BASELINES} <= told


def test_counts_add_up_with_images_without_label_and_labels_without_image(
    learn: Learn, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    lines = phantoms.labels.read_text().splitlines()
    unlabelled = 5
    strangers = [f"ID_0_{finding.name},0" for finding in FINDINGS]
    kept = [lines[0], *lines[1 + 6 * unlabelled :], *strangers, lines[-1]]
    labels = tmp_path / "some.csv"
    labels.write_text("\n".join(kept) + "\n")
    (tmp_path / "broken.dcm").write_bytes(b"")
    counts = learn(
        tmp_path / "run", source=[phantoms.images, tmp_path / "broken.dcm"], labels=[labels]
    ).counts
    number = phantoms.rows.height
    assert counts["files"] == number + 1
    assert (counts["instances"], counts["rejects"]) == (number, 1)
    assert (counts["not_image"], counts["duplicates"]) == (0, 0)
    assert (counts["packed_images"], counts["undecodable_images"]) == (number, 0)
    assert counts["images_without_label"] == unlabelled
    assert counts["labelled_images"] == number - unlabelled
    assert counts["labels_without_image"] == 1
    assert (counts["duplicate_labels"], counts["conflicting_labels"]) == (1, 0)
    assert counts["patients"] == phantoms.rows["patient"].n_unique()


def test_two_folds_read_every_labelled_image_once_with_the_model_of_the_others(
    two_folds: TrainResult, phantoms: PhantomTruth
) -> None:
    table = images(two_folds.run)
    assert sorted(table["id"].unique()) == sorted(phantoms.rows["image"])
    assert table.select("id", "finding").is_unique().all()
    assert table.height == 6 * phantoms.rows.height
    assert set(table["split"]) == {"out_of_fold"}
    folds = json.loads((two_folds.run / "folds.json").read_text())
    assert folds["proof"]["shared_patients"] == 0
    rows = phantoms.rows.select("image", "patient").iter_rows()
    patients = {image: pseudonym(patient, user_key()) for image, patient in rows}
    own_fold = [int(folds["assignment"][patients[image]]) for image in table["id"]]
    assert table["model"].to_list() == own_fold
    assert set(own_fold) == {0, 1}
    assert table["patient"].to_list() == [patients[image] for image in table["id"]]


def test_out_of_fold_probabilities_are_those_of_the_model_kept_for_that_fold(
    two_folds: TrainResult, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    """Each model reads the whole archive anew; its rows, and only its, come back, as they were
    before the run calibrated them."""
    alone = []
    for number in (0, 1):
        run = tmp_path / f"only{number}"
        run.mkdir()
        (run / "about.json").write_bytes((two_folds.run / "about.json").read_bytes())
        (run / f"model-{number}").symlink_to(two_folds.run / f"model-{number}")
        predict([phantoms.images], [run], tmp_path / f"out{number}", workers=1)
        told = pl.read_csv(tmp_path / f"out{number}" / "probabilities.csv")
        alone.append(told.filter(pl.col("level") == "image").select("id", "finding", "probability"))
    table = images(two_folds.run)
    for number in (0, 1):
        met = table.filter(pl.col("model") == number).join(alone[number], on=["id", "finding"])
        other = table.filter(pl.col("model") == number).join(
            alone[1 - number], on=["id", "finding"]
        )
        assert met.height == table.filter(pl.col("model") == number).height > 0
        assert met["uncalibrated"].to_numpy() == pytest.approx(
            met["probability_right"].to_numpy(), abs=1e-6
        )
        difference = (other["uncalibrated"] - other["probability_right"]).abs()
        assert difference.to_numpy().mean() > 1e-3


def test_truth_in_the_predictions_is_the_phantoms_truth(
    two_folds: TrainResult, phantoms: PhantomTruth
) -> None:
    names = ("epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any")
    matrix = label_matrix(phantoms.rows)
    true = {
        (image, name): float(matrix[row, column])
        for row, image in enumerate(phantoms.rows["image"])
        for column, name in enumerate(names)
    }
    table = images(two_folds.run)
    told = zip(table["id"], table["finding"], table["truth"], strict=True)
    assert all(true[image, finding] == value for image, finding, value in told)
    assert 0 < table["truth"].sum() < table.height


def test_scores_can_be_computed_again_from_the_predictions_with_scikit_learn(
    two_folds: TrainResult,
) -> None:
    table = predictions(two_folds.run)
    weight = {finding.name: finding.weight for finding in FINDINGS}
    scored = {(r.metric, r.finding, r.level): r.value for r in two_folds.scores}
    compared = 0
    for level in ("image", "study"):
        rows = table.filter(pl.col("level") == level)
        for column, suffix in (("probability", ""), *((name, f"_{name}") for name in BASELINES)):
            if level == "image":
                loss = log_loss(
                    rows["truth"],
                    rows[column].clip(1e-15, 1 - 1e-15).to_numpy(),  # the competition's clip
                    sample_weight=[weight[name] for name in rows["finding"]],
                )
                assert scored[f"weighted_log_loss{suffix}", "all", level] == pytest.approx(loss)
            for finding in weight:
                own = rows.filter(pl.col("finding") == finding)
                value = scored[f"roc_auc{suffix}", finding, level]
                if own["truth"].n_unique() == 1:
                    assert value is None
                    continue
                assert value == pytest.approx(roc_auc_score(own["truth"], own[column]))
                compared += 1
    assert compared >= 8


def test_one_seed_gives_equal_numbers_and_another_seed_others(
    learn: Learn, one_split: TrainResult, other_seed: TrainResult, tmp_path: Path
) -> None:
    again = learn(tmp_path / "again")
    assert_frame_equal(predictions(again.run), predictions(one_split.run), check_exact=True)
    assert metrics(again.run) == metrics(one_split.run)
    assert metrics(other_seed.run) != metrics(one_split.run)


@contextmanager
def started(words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-m", "wetread", *words], stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.timeout(200)
def test_a_run_killed_in_mid_epoch_ends_with_the_numbers_of_the_run_left_alone(
    learn: Learn, phantoms: PhantomTruth, settings: tuple[str, ...], tmp_path: Path
) -> None:
    slow = ("checkpoint_every_steps=1", "negatives_per_positive=0", "batch_size=8")
    killed = tmp_path / "killed"
    words = ["train", "hemorrhage", "--data", str(phantoms.images), "-o", str(killed)]
    words += ["--labels", str(phantoms.labels), "--epochs", "1", "--workers", "1"]
    for setting in (*settings, *slow):
        words += ["--set", setting]
    last = killed / "model-0" / "last.pt"
    with started(words) as process:
        end = time.monotonic() + LAST_PT_WITHIN_S
        while not last.exists():
            assert process.poll() is None, "the run ended before it wrote last.pt"
            assert time.monotonic() < end, "no last.pt"
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
    saved = Run(last.parent).load("last.pt")
    assert saved is not None
    assert (saved["epoch"], saved["history"]) == (0, [])
    assert saved["position"] > 0
    assert not (killed / FILE).exists()
    learn(killed, *slow[1:])
    learn(tmp_path / "alone", *slow[1:])
    assert_frame_equal(predictions(killed), predictions(tmp_path / "alone"), check_exact=True)
    assert metrics(killed) == metrics(tmp_path / "alone") != ""


def test_the_same_folder_with_other_words_is_refused_and_the_proof_stays(
    learn: Learn, tmp_path: Path
) -> None:
    """Refused after folds.json was written anew, the proof was of patients never dealt so."""
    run = learn(tmp_path).run
    names = ("folds.json", "recipe.json", "about.json")
    before = {name: (run / name).read_bytes() for name in names}
    with pytest.raises(ValueError, match=r"begun otherwise: .*max_norm was 2\.0, is 1\.0"):
        learn(tmp_path, "optimizer.max_norm=1.0", seed=1)
    assert {name: (run / name).read_bytes() for name in names} == before


def test_an_index_file_serves_in_place_of_the_files(
    learn: Learn, one_split: TrainResult, tmp_path: Path
) -> None:
    learn(tmp_path / "run", source=[one_split.run / "index.parquet"])
    assert_frame_equal(predictions(tmp_path / "run"), predictions(one_split.run), check_exact=True)
    assert not (tmp_path / "run" / "index.parquet").exists()


def test_learning_without_a_label_file_says_to_give_one(learn: Learn, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="with `labels`"):
        learn(tmp_path, labels=[])


def test_labels_of_other_images_are_refused_before_anything_is_learned(
    learn: Learn, tmp_path: Path
) -> None:
    labels = tmp_path / "others.csv"
    labels.write_text("ID,Label\nID_none_any,1\n")
    with pytest.raises(ValueError, match="no image of the archive has a label"):
        learn(tmp_path / "run", labels=[labels])
    assert not list((tmp_path / "run").glob("model-*"))


def test_a_finding_that_training_knows_nothing_of_is_given_a_share_inside_0_and_1(
    learn: Learn, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    """The prior that unreadable images are given is never 0 or 1: one wrong would cost 34.5."""
    lines = phantoms.labels.read_text().splitlines()
    labels = tmp_path / "without.csv"
    labels.write_text("\n".join(line for line in lines if "_epidural" not in line) + "\n")
    run = learn(tmp_path / "run", labels=[labels]).run
    prior = json.loads((run / "about.json").read_text())["prior"]
    shares = dict(zip(("subdural", "any"), label_matrix(phantoms.rows).mean(0)[4:], strict=True))
    assert prior["epidural"] == 0.5
    assert prior["any"] == pytest.approx(float(shares["any"]))
    assert prior["subdural"] == pytest.approx(float(shares["subdural"]))
    assert all(0 < share < 1 for share in prior.values())
    table = images(run)
    assert table.filter(pl.col("finding") == "epidural")["truth"].null_count() > 0
    assert not np.isnan(table["probability"].to_numpy()).any()


@pytest.mark.timeout(120)
def test_real_files_end_in_a_scored_run_without_a_shared_patient(
    real_data: Path, learn: Learn, tmp_path: Path
) -> None:
    folder = real_data / "hemorrhage"
    result = learn(
        tmp_path / "real",
        source=[folder / "stage_2_train"],
        labels=[folder / "stage_2_train.csv"],
        folds=2,
    )
    assert result.counts["packed_images"] == 61
    assert result.counts["labelled_images"] == 40
    assert result.counts["images_without_label"] == 21
    assert result.counts["labels_without_image"] == 0
    folds = json.loads((result.run / "folds.json").read_text())
    assert folds["proof"]["shared_patients"] == 0
    table = images(result.run)
    assert table["id"].n_unique() == 40
    any_image = table.filter(pl.col("finding") == "any")
    assert any_image["truth"].sum() == 18
    value = {(r.metric, r.finding, r.level): r.value for r in result.scores}
    expected = roc_auc_score(any_image["truth"], any_image["probability"])
    assert value["roc_auc", "any", "image"] == pytest.approx(expected)
