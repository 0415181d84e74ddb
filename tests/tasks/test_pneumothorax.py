"""tests/tasks/test_pneumothorax.py: pneumothorax as the 2019 competition asks for it."""

from pathlib import Path

import numpy as np
import pytest

from wetread.phantoms.radiograph.study import make_radiograph
from wetread.study.boxes import PixelBox
from wetread.study.placement import SlicePlacement
from wetread.tasks import find_task
from wetread.tasks.pneumothorax import hemithorax_share
from wetread.training.measures import CroppedPicture, DrawnStack
from wetread.training.recipe_file import read_recipe

TASK = find_task("pneumothorax")


def test_labels_are_masks_of_which_minus_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("ImageId,EncodedPixels\na,-1\nb,5 2 1022 2\n")
    for read in (TASK.read_labels, TASK.submission.read):
        table = read(path, TASK.findings)
        assert table.matrix_float64(["a", "b", "c"], TASK.findings)[:2].ravel().tolist() == [0, 1]
        masks = dict(table.masks.select("id", "runs").iter_rows())
        assert masks["b"] == ["5 2 1022 2"]


def test_the_finding_is_drawn_and_every_film_judges_its_study() -> None:
    assert [(finding.name, finding.level) for finding in TASK.spec.drawn] == [
        ("pneumothorax", "pixel")
    ]
    assert TASK.preference is None
    assert "CT" not in TASK.modalities


def test_a_sample_submission_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    path.write_text("ImageId,EncodedPixels\na,-1\n")
    TASK.submission.check_sample(path, TASK.at("image"))
    path.write_text("ID,Label\na_any,0\n")
    with pytest.raises(ValueError, match="no column 'ImageId'"):
        TASK.submission.check_sample(path, TASK.at("image"))


def test_a_recipe_may_crop_films_to_the_lungs() -> None:
    cropped = TASK.for_recipe(read_recipe("pneumothorax-compact", ["crop=region"]))
    film = make_radiograph(np.random.default_rng(3), kind="apical", size=128)
    (box,) = cropped.crops.find_boxes(film.gray[None])
    assert (box.row1 - box.row0) * (box.column1 - box.column0) < 0.95 * film.gray.size
    inside = film.mask[box.row0 : box.row1, box.column0 : box.column1]
    assert inside.sum() == film.mask.sum()


NOWHERE = SlicePlacement(np.zeros((1, 3)), np.zeros(6), (1.0, 1.0), np.ones(1))


def share_of(gray: np.ndarray, *masks: np.ndarray) -> float:
    picture = CroppedPicture(gray, PixelBox(0, gray.shape[0], 0, gray.shape[1]))
    return hemithorax_share(DrawnStack([masks], NOWHERE, [picture] * len(masks)))


def test_the_share_of_a_side_that_air_takes_is_near_what_was_painted() -> None:
    """Both pleural spaces of a phantom are known; the larger half of the air says which side."""
    off = []
    for seed in range(12):
        film = make_radiograph(np.random.default_rng(seed), kind="apical", size=256)
        right = np.arange(256)[None] < np.flatnonzero(film.lungs.any(axis=0)).mean()
        side = right if (film.mask & right).sum() * 2 > film.mask.sum() else ~right
        painted = (film.mask & side).sum() / ((film.lungs | film.mask) & side).sum()
        off.append(share_of(film.gray * 4095, film.mask) - painted)
    assert np.abs(off).max() < 0.05
    assert abs(np.mean(off)) < 0.02


def test_no_air_takes_no_share_and_without_a_chest_there_is_none() -> None:
    film = make_radiograph(np.random.default_rng(3), kind="apical", size=128)
    assert share_of(film.gray, np.zeros_like(film.mask)) == 0
    assert np.isnan(share_of(np.zeros_like(film.gray), film.mask))
    assert np.isnan(share_of(film.gray, film.mask, film.mask))
