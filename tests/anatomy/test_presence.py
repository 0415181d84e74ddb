"""tests/anatomy/test_presence.py: a head is told from what is none, and lungs too."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wetread.anatomy.presence import head_absent, lungs_absent
from wetread.archive.index.index import build_index
from wetread.study.series import series_slices
from wetread.study.slices import slice_from_row

AXIAL = [1.0, 0, 0, 0, 1.0, 0]
Rows = list[dict[str, Any]]


def rows(count: int, spacing: float = 2.0, **header: Any) -> Rows:
    """Rows of an index with no more than is asked of them."""
    plain = {"ImageType": None, "BodyPartExamined": None, "orientation": AXIAL}
    steps = {"row_spacing_mm": spacing, "column_spacing_mm": spacing}
    return [{**plain, **steps, **header} for _ in range(count)]


def ellipse(height_mm: float, width_mm: float, side: int = 160, step: float = 2.0) -> np.ndarray:
    """(side, side) bool about the middle."""
    y, x = (np.mgrid[:side, :side] - (side - 1) / 2) * step
    return np.asarray((2 * y / height_mm) ** 2 + (2 * x / width_mm) ** 2 <= 1)


def head(count: int = 1) -> np.ndarray:
    """Scalp, a skull 6 mm thick, brain of 35 HU: 150 x 190 mm, in air."""
    hu = np.full((160, 160), -1000, np.float32)
    hu[ellipse(190, 150)] = 20
    hu[ellipse(178, 138)] = 900
    hu[ellipse(166, 126)] = 35
    return np.repeat(hu[None], count, axis=0)


def chest(count: int = 1) -> np.ndarray:
    """A trunk of 300 x 220 mm with a spine and two lungs."""
    hu = np.full((160, 160), -1000, np.float32)
    hu[ellipse(220, 300)] = 40
    for shift in (-35, 35):
        hu[np.roll(ellipse(150, 100), shift, axis=1)] = -850
    hu[np.roll(ellipse(30, 40), 42, axis=0)] = 500
    return np.repeat(hu[None], count, axis=0)


def abdomen(count: int = 1) -> np.ndarray:
    """The trunk without lungs."""
    hu = chest(1)[0]
    hu[(hu < -800) & ellipse(220, 300)] = 60
    return np.repeat(hu[None], count, axis=0)


def real_series(folder: Path, tmp_path: Path) -> list[tuple[Rows, np.ndarray]]:
    index = build_index([folder], tmp_path / f"{folder.name}.parquet", workers=1)
    found = []
    for frame in series_slices(index.images):
        own = list(frame.iter_rows(named=True))
        found.append((own, np.stack([slice_from_row(row).values() for row in own])))
    return found


@pytest.mark.parametrize("count", [1, 20])
def test_a_drawn_head_is_a_head_and_no_chest(count: int) -> None:
    assert head_absent(rows(count), head(count)) is None
    assert "lung in 0 of" in str(lungs_absent(rows(count), head(count)))


@pytest.mark.parametrize("count", [1, 20])
def test_a_drawn_chest_has_lungs_and_is_no_head(count: int) -> None:
    assert lungs_absent(rows(count), chest(count)) is None
    assert "300 x 220 mm" in str(head_absent(rows(count), chest(count)))


def noise(mean: float, spread: float) -> np.ndarray:
    return np.random.default_rng(0).normal(mean, spread, (160, 160)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize(
    "picture",
    [
        abdomen()[0],
        noise(0, 300),
        noise(-1000, 20),
        np.full((160, 160), -1000.0),
        np.zeros((160, 160)),
        np.where(ellipse(200, 200), 0.0, -1000.0),  # a phantom of water
    ],
    ids=["abdomen", "noise", "air", "empty", "constant", "water"],
)
def test_what_is_neither_head_nor_chest_is_neither(picture: np.ndarray, count: int) -> None:
    hu = np.repeat(picture[None].astype(np.float32), count, axis=0)
    assert str(head_absent(rows(count), hu)).startswith("no head: ")
    assert str(lungs_absent(rows(count), hu)).startswith("no lungs: ")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"ImageType": r"ORIGINAL\PRIMARY\LOCALIZER"}, "a localizer"),
        ({"ImageType": r"DERIVED\SECONDARY\REF_SURVIEW"}, "a localizer"),
        ({"orientation": [1.0, 0, 0, 0, 0, -1.0]}, "along the body"),
        ({"row_spacing_mm": 0.5, "column_spacing_mm": 0.5}, "a picture of 80 x 80 mm"),
    ],
)
def test_a_localizer_or_a_small_piece_is_no_head_whatever_its_pixels(
    header: Mapping[str, Any], words: str
) -> None:
    assert words in str(head_absent(rows(1, **header), head(1)))


def test_a_lone_slice_without_brain_is_believed_unless_its_header_names_another_part() -> None:
    vertex = np.full((160, 160), -1000, np.float32)
    vertex[ellipse(90, 80)] = 20
    vertex[ellipse(70, 60)] = 900
    assert head_absent(rows(1), vertex[None]) is None
    assert head_absent(rows(1, BodyPartExamined="HEAD"), vertex[None]) is None
    assert "another part" in str(head_absent(rows(1, BodyPartExamined="KNEE"), vertex[None]))
    assert head_absent(rows(1, BodyPartExamined="NECK"), head(1)) is None  # brain is seen


@pytest.mark.parametrize("folder", ["head_ct_tilted", "hemorrhage_slices", "hemorrhage_series"])
def test_every_real_head_is_a_head_and_none_has_lungs(
    real_data: Path, tmp_path: Path, folder: str
) -> None:
    for own, hu in real_series(real_data / folder, tmp_path):
        assert head_absent(own, hu) is None
        assert lungs_absent(own, hu) is not None
        alone = [head_absent([own[z]], hu[z : z + 1]) for z in range(0, len(own), 4)]
        assert alone == [None] * len(alone)


@pytest.mark.parametrize("folder", ["embolism_ct", "chest_ct"])
def test_every_real_chest_has_lungs_and_none_is_a_head(
    real_data: Path, tmp_path: Path, folder: str
) -> None:
    ((own, hu),) = real_series(real_data / folder, tmp_path)
    assert lungs_absent(own, hu) is None
    assert "no head: brain within bone in 0 of 24 slices" in str(head_absent(own, hu))
    assert head_absent(own[:1], hu[:1]) is not None
