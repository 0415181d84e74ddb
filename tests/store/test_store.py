"""tests/store/test_store.py: packed slices come back as they went in, ordered; packing resumes."""

import json
from pathlib import Path

import blosc2
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from polars.testing import assert_frame_equal

from wetread.anatomy.head import find_head_box
from wetread.archive.index.index import build_index
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.store.pack import pack
from wetread.store.pack_series import Codec, OneBox, Packing, compress
from wetread.store.store import StoreError, open_store
from wetread.study.crop import whole_picture
from wetread.study.series import series_slices


def ignore(done: int, total: int) -> None:
    pass


FULL = Packing(size=None, find_boxes=OneBox(whole_picture))
SMALL = Packing(size=8, find_boxes=OneBox(whole_picture))


@pytest.fixture(scope="module")
def series(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[pl.DataFrame]:
    folder = tmp_path_factory.mktemp("index")
    archive = real_data / "hemorrhage" / "stage_2_test.zip"
    index = build_index([archive], folder / "i.parquet", workers=1, progress=ignore)
    return series_slices(index.images)


@given(
    hnp.arrays(
        st.sampled_from([np.int16, np.uint16, np.int32, np.uint8]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
    ),
    st.sampled_from([FULL.codec, SMALL.codec]),
)
def test_a_blob_gives_back_every_integer(values: np.ndarray, codec: Codec) -> None:
    back = np.frombuffer(blosc2.decompress2(compress(values, codec)), values.dtype)
    assert np.array_equal(back.reshape(values.shape), values)


def test_full_size_keeps_the_stored_integers_in_order_of_position(
    series: list[pl.DataFrame], tmp_path: Path
) -> None:
    store = pack(series, tmp_path, FULL, workers=1, progress=ignore)
    rows = pl.concat(series)
    assert len(store) == rows.height == 32
    assert store.slices["SOPInstanceUID"].to_list() == rows["SOPInstanceUID"].to_list()
    assert store.slices["position_mm"].is_sorted()
    for place in (0, 17, 31):
        assert np.array_equal(store.read(place), read_stored(rows.row(place, named=True)))
    hu = store.read_hu([31, 0])
    stored = store.read(31).astype(np.float64)
    assert np.allclose(hu[0], np.maximum(stored - 1024, -1024))


def test_a_stopped_packing_goes_on_and_ends_the_same(
    series: list[pl.DataFrame], tmp_path: Path
) -> None:
    many = series * 20  # 32 slices each: three parts
    whole_run = pack(many, tmp_path / "a", SMALL, workers=1, progress=ignore)
    pack(many, tmp_path / "b", SMALL, workers=1, progress=ignore)
    (tmp_path / "b" / "store.json").unlink()
    kept, lost, *_ = sorted((tmp_path / "b" / "parts").glob("*.parquet"))
    before = kept.stat().st_mtime_ns
    lost.unlink()
    (tmp_path / "b" / "parts" / "half.123.tmp").write_bytes(b"half written")
    again = pack(many, tmp_path / "b", SMALL, workers=1, progress=ignore)
    assert_frame_equal(again.slices, whole_run.slices, check_exact=True)
    assert kept.stat().st_mtime_ns == before
    assert np.array_equal(again.read_hu([5, 99]), whole_run.read_hu([5, 99]))


def test_workers_do_not_change_what_is_packed(series: list[pl.DataFrame], tmp_path: Path) -> None:
    one = pack(series * 10, tmp_path / "one", SMALL, workers=1, progress=ignore)
    two = pack(series * 10, tmp_path / "two", SMALL, workers=2, progress=ignore)
    assert_frame_equal(one.slices, two.slices, check_exact=True)


def test_a_slice_that_cannot_be_decoded_is_a_reject_and_the_series_goes_on(
    series: list[pl.DataFrame], tmp_path: Path
) -> None:
    columns = pl.when(pl.int_range(pl.len()) == 3).then(pl.lit(5000)).otherwise("Columns")
    broken = series[0].with_columns(columns.cast(series[0].schema["Columns"]).alias("Columns"))
    store = pack([broken], tmp_path, SMALL, workers=1, progress=ignore)
    assert len(store) == 31
    assert store.rejects["SOPInstanceUID"].to_list() == [series[0]["SOPInstanceUID"][3]]
    assert store.rejects["reason"][0] == "truncated_pixels"


def test_a_folder_that_is_no_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        open_store(tmp_path)
    (tmp_path / "store.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(StoreError, match="format 99"):
        open_store(tmp_path)


def test_a_store_of_another_crop_is_packed_anew(series: list[pl.DataFrame], tmp_path: Path) -> None:
    whole = pack(series[:1], tmp_path, SMALL, workers=1, progress=ignore)
    assert set(whole.slices["box"].list.get(3)) == {512}
    packing = Packing(size=SMALL.size, find_boxes=OneBox(find_head_box))
    again = pack(series[:1], tmp_path, packing, workers=1, progress=ignore)
    fresh = pack(series[:1], tmp_path / "fresh", packing, workers=1, progress=ignore)
    assert again.slices["box"].to_list() == fresh.slices["box"].to_list()
    assert set(again.slices["box"].list.get(3)) != {512}
