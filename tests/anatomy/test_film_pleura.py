"""tests/anatomy/test_film_pleura.py: the region holds the lungs of phantoms, and real air."""

import numpy as np
import polars as pl
import pytest
import torch
from torch.nn import functional

from wetread.anatomy.film_pleura import (
    SIDE,
    _weights,
    find_pleural_box,
    find_pleural_region,
    find_pleural_sides,
    pleural_map,
)
from wetread.archive.index.index import build_index
from wetread.labels.rle import decode_union
from wetread.phantoms.radiograph.study import make_radiograph
from wetread.study.display import display_grey
from wetread.study.slices import slice_from_row


def test_numpy_and_torch_compute_the_same_map():
    weights = {name: torch.from_numpy(values) for name, values in _weights().items()}
    film = make_radiograph(np.random.default_rng(3), size=64).gray
    x, kept = torch.from_numpy(2 * _ranks_of(film) - 1)[None, None], []
    for level in range(5):
        x = functional.max_pool2d(x, 2) if level else x
        x = _convolve(x, weights, f"down{level}")
        kept.append(x)
    x = kept.pop()
    for level in range(4):
        x = torch.cat([functional.interpolate(x, scale_factor=2.0), kept.pop()], 1)
        x = _convolve(x, weights, f"up{level}")
    logits = functional.conv2d(x, weights["head.weight"], weights["head.bias"])
    assert np.allclose(pleural_map(film), logits.sigmoid()[0, 0].numpy(), atol=1e-4)


def _ranks_of(film: np.ndarray) -> np.ndarray:
    """The share of darker pixels, ties halved, by comparing each with all."""
    levels = np.rint((film - film.min()) * (1000 / np.ptp(film))).ravel()
    below = (levels[None] < levels[:, None]).mean(1) + (levels[None] == levels[:, None]).mean(1) / 2
    return below.reshape(film.shape).astype(np.float32)


def _convolve(x: torch.Tensor, weights: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return functional.conv2d(x, kernel, bias, padding=1).relu()


def test_the_region_holds_the_lungs_of_phantoms_whatever_their_gray():
    held, share = [], []
    for seed in range(8):
        film = make_radiograph(np.random.default_rng([9, seed]), size=128)
        region = find_pleural_region(film.gray)
        assert region.dtype == np.bool_
        assert region.shape == film.gray.shape
        assert np.array_equal(region, find_pleural_region(4095 * film.gray))
        held.append(region[film.lungs].mean())
        share.append(region.mean())
        box = find_pleural_box(film.gray[None])
        rows, columns = np.nonzero(region)
        assert 0 <= box.row0 <= rows.min() < rows.max() < box.row1 <= 128
        assert 0 <= box.column0 <= columns.min() < columns.max() < box.column1 <= 128
    assert np.median(held) > 0.97
    assert np.median(share) < 0.7


def test_each_side_holds_its_own_lung_of_phantoms():
    held, strange = [], []
    for seed in range(8):
        film = make_radiograph(np.random.default_rng([9, seed]), size=128)
        sides = find_pleural_sides(film.gray)
        if sides is None:
            continue
        middle = np.nonzero(film.lungs)[1].mean()
        for side, half in ((1, np.arange(128) < middle), (2, np.arange(128) > middle)):
            lung = film.lungs & half
            held.append((sides == side)[lung].mean())
            strange.append((sides == 3 - side)[lung].mean())
    assert len(held) >= 12
    assert np.median(held) > 0.85
    assert np.median(strange) < 0.02
    assert find_pleural_sides(np.zeros((80, 100), np.float32)) is None


def test_where_no_lungs_are_found_the_region_is_the_whole_picture():
    nothing = np.zeros((80, 100), np.float32)
    assert pleural_map(nothing).shape == (SIDE, SIDE)
    assert find_pleural_region(nothing).all()
    assert find_pleural_box(nothing[None]) == (0, 80, 0, 100)


def test_the_region_holds_most_of_real_air(real_data, tmp_path):
    folder = real_data / "pneumothorax_more"
    if not folder.exists():
        pytest.skip("no radiographs with masks among the real files")
    labels = pl.read_csv(folder / "train-rle.csv").filter(pl.col("EncodedPixels") != "-1")
    chosen = sorted(set(labels["ImageId"]))[::7]
    files = [folder / "images" / f"{image}.dcm" for image in chosen]
    index = build_index(files, tmp_path / "films.parquet", workers=1)
    held = total = area = 0.0
    for row in index.images.iter_rows(named=True):
        gray = display_grey(row, slice_from_row(row))
        texts = labels.filter(pl.col("ImageId") == row["SOPInstanceUID"])["EncodedPixels"].to_list()
        truth = decode_union(texts, gray.shape, "relative")
        region = find_pleural_region(gray)
        held, total = held + (truth & region).sum(), total + truth.sum()
        area += region.mean() / len(chosen)
    assert held / total > 0.9
    assert area < 0.6
