"""tests/cli/test_repair.py: the repair of wrong intercepts is on, and --no-repair leaves them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pydicom
import pytest

from wetread.archive.index.index import read_index
from wetread.archive.index.intercept import WRONG_INTERCEPT
from wetread.store.store import open_store

Wetread = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def wrong(archive: Path) -> Path:
    """The archive with one slice as the competition's wrong ones are; the rest as it was."""
    path = sorted(archive.iterdir())[0]
    dataset = pydicom.dcmread(path)
    hu = np.full((dataset.Rows, dataset.Columns), -1000)
    hu[20:40, 20:40] = 40
    dataset.PixelData = (hu & 0xFFF).astype("<u2").tobytes()
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, 0
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    dataset.save_as(path)
    return archive


def test_a_wrong_intercept_is_repaired_into_the_store_unless_it_is_switched_off(
    here: Wetread, wrong: Path, tmp_path: Path
) -> None:
    out = tmp_path / "i.parquet"
    air = {}
    for words in ([], ["--no-repair"], ["--repair"]):
        assert here("index", wrong, "-o", out, *words, "--workers", 1).returncode == 0
        noted = read_index(out).images.filter(pl.col("notes").list.contains(WRONG_INTERCEPT))
        assert noted.height == (0 if "--no-repair" in words else 1)
        assert here("pack", out, "-o", tmp_path / "store", "--workers", 1).returncode == 0
        store = open_store(tmp_path / "store")
        hu = store.read_hu(range(len(store)))
        air[" ".join(words)] = int((hu == 3096).sum())  # air at -1000 HU, taken as unsigned
    assert air == {"": 0, "--no-repair": 64 * 64 - 20 * 20, "--repair": 0}
