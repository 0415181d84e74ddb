"""tests/anatomy/test_chest_film.py: frontal chest films are told from all else."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from wetread.anatomy.chest_film import chest_film_absent, chest_score, film_features
from wetread.archive.index.index import build_index
from wetread.archive.types import Float32Array
from wetread.study.display import display_grey
from wetread.study.slices import slice_from_row

SIDE = 256


def row(part: str | None = "CHEST", view: str | None = "PA") -> dict[str, Any]:
    return {"BodyPartExamined": part, "ViewPosition": view}


def grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    return y, x


def capsule(x0: float, y0: float, x1: float, y1: float, radius: float) -> np.ndarray:
    """Thickness of a rod from (x0, y0) to (x1, y1), of the picture's side."""
    y, x = grid()
    along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
    along = along.clip(0, 1)
    away = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
    return np.asarray(np.sqrt((1 - (away / radius) ** 2).clip(0, 1)))


def hand() -> np.ndarray:
    palm = capsule(0.5, 0.75, 0.5, 0.95, 0.22)
    fingers = [capsule(0.3 + 0.1 * i, 0.65, 0.06 + 0.22 * i, 0.12, 0.045) for i in range(5)]
    return np.asarray(palm + sum(fingers))


def knee() -> np.ndarray:
    femur, tibia = capsule(0.5, -0.2, 0.5, 0.48, 0.1), capsule(0.5, 0.55, 0.5, 1.2, 0.09)
    return np.asarray(capsule(0.5, -0.2, 0.5, 1.2, 0.25) + femur + tibia)


def head_slice() -> np.ndarray:
    y, x = grid()
    away = np.hypot((y - 0.5) / 0.4, (x - 0.5) / 0.32)
    return np.select([away < 0.88, away < 1], [0.5, 1.0], 0.0)


def noise(coarse: int) -> Float32Array:
    drawn = np.random.default_rng(0).random((coarse, coarse)).astype(np.float32)
    return cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("part", ["CHEST", None, "HAND"])
@pytest.mark.parametrize(
    "picture",
    [hand(), knee(), head_slice(), noise(SIDE), noise(7), np.zeros((SIDE, SIDE)), grid()[0]],
    ids=["hand", "knee", "head slice", "noise", "clouds", "black", "ramp"],
)
def test_what_is_no_chest_is_refused_whatever_the_header_says(
    picture: np.ndarray, part: str | None
) -> None:
    gray = (4095 * picture[None] / max(picture.max(), 1)).astype(np.float32)
    assert str(chest_film_absent([row(part)], gray)).startswith("no chest film: ")


def test_a_lateral_view_is_refused_by_its_header() -> None:
    film = np.zeros((1, SIDE, SIDE), np.float32)
    assert "lateral" in str(chest_film_absent([row(view="LL")], film))


def test_gray_counts_by_its_rank_so_that_no_tone_curve_matters() -> None:
    picture = noise(9).clip(0.01, None)
    one, other = film_features(picture), film_features((picture**2.2).astype(np.float32))
    assert np.abs(one - other).max() < 0.15
    assert np.corrcoef(one, other)[0, 1] > 0.995


def test_a_black_border_does_not_matter() -> None:
    picture = 0.5 + noise(9)
    framed = np.pad(picture, SIDE // 2)
    assert chest_score(framed) == pytest.approx(chest_score(picture), abs=0.5)


def real_films(folder: Path, tmp_path: Path, most: int) -> list[tuple[dict[str, Any], np.ndarray]]:
    index = build_index([folder], tmp_path / "films.parquet", workers=1)
    kept = index.images.sort("SOPInstanceUID").head(most)
    return [(own, display_grey(own, slice_from_row(own))) for own in kept.iter_rows(named=True)]


@pytest.mark.parametrize("folder", ["pneumothorax", "pneumothorax_more"])
def test_real_chest_films_are_chest_films(real_data: Path, tmp_path: Path, folder: str) -> None:
    films = real_films(real_data / folder / "images", tmp_path, 60)
    assert [chest_film_absent([own], gray[None]) for own, gray in films] == [None] * 60
    silent = [({**own, "BodyPartExamined": None}, gray) for own, gray in films]
    doubted = [chest_film_absent([own], gray[None]) for own, gray in silent]
    assert sum(why is not None for why in doubted) <= 1


def test_a_real_film_of_another_part_and_a_real_head_are_none(
    real_data: Path, tmp_path: Path
) -> None:
    """A dog from the side, and CT slices of a head with the header of a film."""
    ((own, gray),) = real_films(real_data / "objects" / "highdicom" / "dx_image.dcm", tmp_path, 1)
    assert chest_film_absent([own], gray[None]) is not None
    for own, gray in real_films(real_data / "hemorrhage_slices", tmp_path / "head", 7):
        assert chest_film_absent([own | row()], gray[None]) is not None
