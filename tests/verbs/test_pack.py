"""tests/verbs/test_pack.py: every image of an index is a slice of the store, in either size."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from wetread.study.boxes import PixelBox
from wetread.verbs.index import index
from wetread.verbs.pack import pack, shrink

Write = Callable[..., Path]


def test_a_store_holds_the_stored_integers_at_full_size(write_ct: Write, tmp_path: Path) -> None:
    index(write_ct(3), tmp_path / "i.parquet", workers=1)
    store = pack(tmp_path / "i.parquet", tmp_path / "store", workers=1)
    assert len(store) == 3
    assert store.rejects.height == 0
    for row in range(3):
        assert np.unique(store.read(row)).tolist() == [1024 + 10 * row, 1064]


def test_a_crop_is_shrunk_to_the_means_of_its_areas() -> None:
    hu = np.kron(np.array([[0, 10], [20, 30]], np.float32), np.ones((4, 4), np.float32))
    small = shrink(hu, PixelBox(0, 8, 0, 8), 2)
    assert small.tolist() == [[0, 10], [20, 30]]
    beyond = shrink(hu, PixelBox(-8, 8, 0, 16), 4)
    assert beyond[0, 0] < -500  # air
    assert beyond[2:, :2].tolist() == [[0, 10], [20, 30]]
