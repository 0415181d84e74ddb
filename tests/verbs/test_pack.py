"""tests/verbs/test_pack.py: every image of an index is a slice of the store, in either size."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from wetread.verbs.index import index
from wetread.verbs.pack import pack

Write = Callable[..., Path]


def test_a_store_holds_the_stored_integers_at_full_size(write_ct: Write, tmp_path: Path) -> None:
    index(write_ct(3), tmp_path / "i.parquet", workers=1)
    store = pack(tmp_path / "i.parquet", tmp_path / "store", workers=1)
    assert len(store) == 3
    assert store.rejects.height == 0
    for row in range(3):
        assert np.unique(store.read(row)).tolist() == [1024 + 10 * row, 1064]


def test_a_small_store_holds_squares_of_the_given_size(write_ct: Write, tmp_path: Path) -> None:
    index(write_ct(2), tmp_path / "i.parquet", workers=1)
    store = pack(tmp_path / "i.parquet", tmp_path / "small", size=12, workers=1)
    small = store.read(1)
    assert small.shape == (12, 12)
    assert small[6, 0] == 10  # HU: 24 columns become 12, area by area
    assert small[6, -1] == 40
