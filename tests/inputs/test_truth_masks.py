"""tests/inputs/test_truth_masks.py: a NIfTI mask of a series as labels of its images."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.inputs import truth_masks
from wetread.inputs.truth_masks import is_mask_file, read_truth_mask, read_truth_masks
from wetread.labels.rle import decode_union
from wetread.labels.table import LabelError
from wetread.outputs.mask_array import read_nifti
from wetread.outputs.nifti import write_nifti
from wetread.study.placement import stack_placement
from wetread.study.series import series_slices
from wetread.tasks import find_task

pytest.importorskip("nibabel")
EMBOLISM = find_task("embolism")
ROWS, COLUMNS, SLICES = 6, 8, 4


def series(name: str, z0: float = 0.0) -> pl.DataFrame:
    """The rows of one series, its files in another order than its slices."""
    known = {
        "SOPInstanceUID": [f"{name}{z}" for z in (2, 0, 3, 1)],
        "SeriesInstanceUID": [name] * SLICES, "StudyInstanceUID": [f"study {name}"] * SLICES,
        "path": [f"/{name}/{z}.dcm" for z in (2, 0, 3, 1)], "state": ["image"] * SLICES,
        "Modality": ["CT"] * SLICES, "Rows": [ROWS] * SLICES, "Columns": [COLUMNS] * SLICES,
        "row_spacing_mm": [0.5] * SLICES, "column_spacing_mm": [0.75] * SLICES,
        "position_mm": [[10.0, -5.0, z0 + 2.0 * z] for z in (2, 0, 3, 1)],
        "orientation": [[1.0, 0, 0, 0, 1, 0]] * SLICES, "SliceThickness": [2.0] * SLICES,
        "NumberOfFrames": [1] * SLICES,
    }  # fmt: skip
    rows = {column: known.get(column, [None] * SLICES) for column in INDEX_SCHEMA}
    return pl.DataFrame(rows, schema=INDEX_SCHEMA)


def written(path: Path, rows: pl.DataFrame) -> np.ndarray:
    """Write a mask with voxels in slices 1 and 2 of the series, and return it."""
    mask = np.zeros((SLICES, ROWS, COLUMNS), bool)
    mask[1, 2, 3:6] = True
    mask[2, 1:4, 0] = True
    place = stack_placement(rows.sort("SOPInstanceUID"))
    write_nifti(path, mask.astype(np.uint8), place.affine)
    return mask


def test_each_slice_gets_its_own_voxels_by_place_not_by_file(tmp_path: Path) -> None:
    path = tmp_path / "clots.nii.gz"
    mask = written(path, series("a"))
    found = read_truth_mask(path, EMBOLISM, pl.concat([series("a"), series("b", z0=50.0)]))
    values = {name: value for _, name, _, value in found.frame.iter_rows()}
    assert values == {"a0": 0.0, "a1": 1.0, "a2": 1.0, "a3": 0.0}
    assert set(found.frame["finding"]) == {"pe_present_on_image"}
    for z in (1, 2):
        (runs,) = found.masks.filter(pl.col("id") == f"a{z}")["runs"].to_list()
        np.testing.assert_array_equal(decode_union(runs, (ROWS, COLUMNS), "relative"), mask[z])


def test_a_mask_that_fits_no_series_or_two_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clots.nii.gz"
    written(path, series("a"))
    with pytest.raises(LabelError, match="no series of the archive has its grid"):
        read_truth_mask(path, EMBOLISM, series("b", z0=50.0))
    with pytest.raises(LabelError, match="2 series of the archive have its grid"):
        read_truth_mask(path, EMBOLISM, pl.concat([series("a"), series("b")]))
    with pytest.raises(LabelError, match="give its index with `data`"):
        read_truth_mask(path, EMBOLISM, None)


def test_a_mask_is_read_once_however_many_series_have_its_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = "abcde"
    archive = pl.concat([series(name, z0=50.0 * k) for k, name in enumerate(names)])
    paths = [tmp_path / f"{name}.nii.gz" for name in "bd"]
    for path in paths:
        written(path, archive.filter(pl.col("SeriesInstanceUID") == path.name[0]))
    reads: list[Path] = []
    splits: list[int] = []

    def count(path: Path, shape: tuple[int, ...]) -> object:
        reads.append(path)
        return read_nifti(path, shape)

    def split(images: pl.DataFrame) -> list[pl.DataFrame]:
        splits.append(images.height)
        return series_slices(images)

    monkeypatch.setattr(truth_masks, "read_nifti", count)
    monkeypatch.setattr(truth_masks, "series_slices", split)
    found = read_truth_masks(paths, EMBOLISM, archive)
    assert [table.masks["id"].to_list() for table in found] == [["b1", "b2"], ["d1", "d2"]]
    assert reads == paths
    assert splits == [archive.height]


def test_the_finding_is_named_where_a_task_has_several_that_can_be_drawn(tmp_path: Path) -> None:
    path = tmp_path / "blood.nii.gz"
    written(path, series("a"))
    task = find_task("hemorrhage")
    with pytest.raises(LabelError, match=r"Write blood\.nii\.gz:FINDING"):
        read_truth_mask(path, task, series("a"))
    found = read_truth_mask(Path(f"{path}:subdural"), task, series("a"))
    assert set(found.frame["finding"]) == {"subdural"}
    with pytest.raises(LabelError, match="ventricle is no finding that masks are truth of"):
        read_truth_mask(Path(f"{path}:ventricle"), task, series("a"))


def test_masks_and_tables_differ_by_their_ending() -> None:
    assert is_mask_file(Path("a/clots.nii.gz"))
    assert is_mask_file(Path("clots.nii:subdural"))
    assert not is_mask_file(Path("labels.csv:subdural"))


def test_the_real_clots_are_in_every_slice_of_the_real_angiogram(
    real_data: Path, tmp_path: Path
) -> None:
    from wetread.archive.index.index import build_index

    folder = real_data / "embolism_ct"
    if not (folder / "clot_mask.nii.gz").is_file():
        pytest.skip("no mask of clots among the real files")
    index = build_index([folder / "ctpa_c_plus.zip"], tmp_path / "index.parquet", workers=1)
    found = read_truth_mask(folder / "clot_mask.nii.gz", EMBOLISM, index.images)
    assert found.frame["value"].to_list() == [1.0] * 24
    voxels = sum(
        int(decode_union(runs, (512, 512), "relative").sum())
        for runs in found.masks["runs"].to_list()
    )
    assert voxels == 19_039
