"""tests/verbs/train/test_own_masks.py: boxes and mask pictures of a sheet are learned by the pixel,
and drawn."""

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

import wetread
from wetread.labels.table import LabelError

TASK = """
modalities = ["DX"]
[[findings]]
name = "opacity"
label = "Target"
level = "pixel"
[[labels]]
id = "patientId"
id_of = "file"
boxes = ["x", "y", "width", "height"]
[recipe]
name = "pneumothorax-compact"
size = 32
crop = "task"
epochs = 2
[recipe.phantoms]
studies = 0
[recipe.runtime]
device = "cpu"
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty films, half of them with a bright rectangle; their boxes, and these as pictures."""
    folder, rng = tmp_path_factory.mktemp("films"), np.random.default_rng(0)
    (folder / "films").mkdir()
    (folder / "masks").mkdir()
    rows = ["patientId,x,y,width,height,Target"]
    for number in range(20):
        film, name = rng.integers(40, 90, (48, 40)).astype(np.uint8), f"f{number:02d}"
        mask = np.zeros_like(film)
        if number % 2:
            x, y, w, h = (int(one) for one in rng.integers([2, 2, 8, 8], [18, 20, 20, 24]))
            film[y : y + h, x : x + w] = 220
            mask[y : y + h, x : x + w] = 255
            rows.append(f"{name},{x}.0,{y}.0,{w}.0,{h}.0,1")
        else:
            rows.append(f"{name},,,,,0")
        cv2.imwrite(str(folder / "films" / f"{name}.png"), film)
        cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")
    wetread.index(folder / "films", folder / "index.parquet", workers=1, pictures="DX")
    return folder


def truth(run: Path) -> dict[str, tuple[float, int]]:
    """Pixels of the true mask and of the picture, by image, as the run has them."""
    table = pl.read_parquet(run / "masks.parquet").unique("id")
    return {row[0]: row[1:] for row in table.select("id", "truth_pixels", "pixels").rows()}


def test_boxes_and_pictures_are_the_same_masks(source: Path, tmp_path: Path) -> None:
    task, boxes, pictures = (tmp_path / name for name in ("mine.toml", "boxes", "pictures"))
    task.write_text(TASK)
    index = source / "index.parquet"
    result = wetread.train(str(task), index, boxes, labels=source / "boxes.csv", folds=2, workers=1)
    plain = tmp_path / "plain.toml"
    plain.write_text(TASK.replace('boxes = ["x", "y", "width", "height"]\n', ""))
    wetread.train(str(plain), index, pictures, labels=source / "masks", folds=2, workers=1)
    rows = pl.read_csv(source / "boxes.csv").with_columns(area=pl.col("width") * pl.col("height"))
    areas = dict(rows.select("patientId", pl.col("area").fill_null(0.0)).rows())
    expected = {name: (area, 48 * 40) for name, area in areas.items()}
    assert truth(boxes) == truth(pictures) == expected
    assert result.scores.find("dice", level="pixel")
    wetread.predict(index, boxes, tmp_path / "out", workers=1)
    assert len(list((tmp_path / "out" / "masks").glob("*.png"))) == 20
    scored = wetread.evaluate_predictions(tmp_path / "out", labels=source / "boxes.csv", data=index)
    (dice,) = scored.scores.find("dice", level="pixel")
    assert dice.patients == 20


def test_a_mask_of_another_shape_is_refused_and_named(source: Path, tmp_path: Path) -> None:
    task, masks = tmp_path / "mine.toml", tmp_path / "masks"
    task.write_text(TASK)
    masks.mkdir()
    for file in (source / "masks").glob("*.png"):
        (masks / file.name).write_bytes(file.read_bytes())
    cv2.imwrite(str(masks / "f01.png"), np.full((40, 48), 255, np.uint8))
    result = wetread.train(
        str(task), source / "index.parquet", tmp_path / "run", labels=masks, folds=2, workers=1
    )
    assert result.counts["refused_masks"] == 1
    refused = pl.read_csv(tmp_path / "run" / "refused_masks.csv")
    assert refused.row(0)[:3] == ("f01", "opacity", "mask_outside")
    assert "40 x 48 pixels, the image has 48 x 40" in refused.row(0)[3]


def test_masks_of_another_form_end_the_training_with_the_first_of_them(
    source: Path, tmp_path: Path
) -> None:
    task, labels = tmp_path / "mine.toml", tmp_path / "runs.csv"
    keys = 'runs = "runs"\nruns_form = "rows_1"'
    task.write_text(TASK.replace('boxes = ["x", "y", "width", "height"]', keys))
    rows = [f"f{n:02d},{n % 2},{'1500 5 100 5' if n % 2 else ''}" for n in range(20)]
    labels.write_text("patientId,Target,runs\n" + "\n".join(rows) + "\n")
    with pytest.raises(LabelError, match=r"all 10 masks are refused, .* Is their form another"):
        wetread.train(
            str(task), source / "index.parquet", tmp_path / "run", labels=labels, workers=1
        )
