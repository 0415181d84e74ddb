"""tests/anatomy/test_film_lungs.py: two dark regions side by side are lungs; others are none."""

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from wetread.anatomy.film_lungs import find_film_lungs
from wetread.archive.index.index import build_index
from wetread.labels.finding import Finding
from wetread.labels.rle import decode_union
from wetread.labels.rle_csv import read_rle_csv
from wetread.study.display import display_grey
from wetread.study.slices import slice_from_row


def film(size: int = 200, centers: tuple[int, ...] = (64, 136), row: int = 90) -> np.ndarray:
    """A bright body between dark air, with dark ellipses for lungs."""
    gray = np.full((200, 200), 3000, np.float32)
    gray[:, :12] = gray[:, -12:] = 0
    for center in centers:
        cv2.ellipse(gray, (center, row), (24, 55), 0, 0, 360, 1000, cv2.FILLED)
    clouds = np.random.default_rng(0).normal(0, 1, gray.shape).astype(np.float32)
    gray += 1500 * cv2.GaussianBlur(clouds, (0, 0), 4)
    return cv2.resize(gray, (size, size), interpolation=cv2.INTER_LINEAR)


@pytest.mark.parametrize("size", [128, 200, 512])
def test_two_dark_ellipses_are_found_for_what_they_are_at_any_size(size: int) -> None:
    lungs = find_film_lungs(film(size))
    assert lungs is not None
    for side, center in ((1, 64), (2, 136)):
        true = np.zeros((200, 200), np.uint8)
        cv2.ellipse(true, (center, 90), (24, 55), 0, 0, 360, 1, cv2.FILLED)
        true = cv2.resize(true, (size, size), interpolation=cv2.INTER_NEAREST) > 0
        found = lungs == side
        assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.93


@pytest.mark.parametrize(
    "gray",
    [
        film(centers=(64,)),  # one
        film(centers=(20, 180)),  # at the picture's edge, as air beside the arms
        film(centers=(90, 110)),  # in one
        np.full((200, 200), 7, np.float32),
        np.zeros((200, 200), np.float32),
    ],
)
def test_what_is_no_pair_of_lungs_is_none(gray: np.ndarray) -> None:
    assert find_film_lungs(gray) is None


def test_air_that_readers_drew_lies_in_real_lungs_or_at_their_rim(
    real_data: Path, tmp_path: Path
) -> None:
    """Of drawn air four fifths lie within 5 % of the picture's side of the lungs, which with that
    rim are a third of the picture (80 films; 20 of them here)."""
    folder = real_data / "pneumothorax_more"
    table = read_rle_csv(folder / "train-rle.csv", (Finding("pneumothorax"),)).masks
    drawn = [row for row in table.iter_rows(named=True) if row["runs"]][:30]
    files = [folder / "images" / f"{row['id']}.dcm" for row in drawn]
    rows = build_index(files, tmp_path / "films.parquet", workers=1).images
    shares, rims = [], []
    for row in drawn:
        own = rows.row(by_predicate=pl.col("SOPInstanceUID") == row["id"], named=True)
        lungs = find_film_lungs(display_grey(own, slice_from_row(own)))
        if lungs is None:
            continue
        mask = decode_union(tuple(row["runs"]), lungs.shape, row["form"])
        away = cv2.distanceTransform((lungs == 0).astype(np.uint8), cv2.DIST_L2, 5)
        near = away < 0.05 * lungs.shape[0]
        shares.append(near[mask].mean())
        rims.append(near.mean())
    assert len(shares) >= 10
    assert np.mean(shares) > 0.65
    assert np.mean(rims) < 0.36
