"""tests/verbs/test_named_everywhere.py: what is sloppy in a file or clipped in its pixels is named
by every verb that reads it: show, series, volumes, stores, readings, exports."""

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from wetread.store.pack import pack
from wetread.store.pack_series import OneBox, Packing
from wetread.study.crop import whole_picture
from wetread.study.series import series_slices
from wetread.study.volume import volume_from_rows
from wetread.verbs.export import export
from wetread.verbs.index import index
from wetread.verbs.predict.selection import study_issues
from wetread.verbs.show import ShownFile, ShownTree, show_file, show_tree

pytestmark = pytest.mark.usefixtures("in_this_process")
Write = Callable[..., Path]
J2K_LOSSY = UID("1.2.840.10008.1.2.4.91")


@pytest.fixture
def clipped(write_ct: Write) -> tuple[Path, str]:
    """(a folder of three CT slices of 12 bits in a lossy stream of 16, what the middle one had
    clipped)."""
    folder = write_ct(3)
    flat, told = np.full((20, 24), 1000, np.uint16), ""
    checks = (np.indices(flat.shape) // 3).sum(axis=0) % 2
    edges = np.where(checks, 4095, 0).astype(np.uint16)
    for number, path in enumerate(sorted(folder.rglob("*.dcm"))):
        dataset = pydicom.dcmread(path)
        pixels = edges if number == 1 else flat
        level, reversible = (30, None) if number == 1 else (0, True)
        frame = bytes(
            imagecodecs.jpeg2k_encode(pixels, level, codecformat="j2k", reversible=reversible)
        )
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
        dataset.PixelRepresentation, dataset.RescaleIntercept = 0, -1024
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
        dataset.file_meta.TransferSyntaxUID = J2K_LOSSY
        dataset.save_as(path)
        theirs = imagecodecs.jpeg2k_decode(frame)
        if number == 1:
            beyond = int((theirs > 4095).sum())
            assert beyond > 10
            told = f"{beyond} of {theirs.size} pixels, {theirs.min()} to {theirs.max()}, "
    return folder, told + "set to 0 to 4095"


def test_clipped_pixels_and_odd_streams_are_named_by_every_verb(
    clipped: tuple[Path, str], tmp_path: Path
) -> None:
    folder, told = clipped
    middle = sorted(folder.rglob("*.dcm"))[1]
    shown = show_file(middle)
    assert isinstance(shown, ShownFile)
    issues = {issue.name: issue.detail for issue in shown.issues}
    assert issues["clipped"] == f"{told}"
    odd = "16 bits in the codestream, (0028,0101) BitsStored is 12"
    assert issues["precision_differs"] == f"{odd}"
    tree = show_tree(folder, workers=1)
    assert isinstance(tree, ShownTree)
    of_series = {issue.name: issue.detail for issue in tree.series[0].issues}
    assert of_series["precision_differs"] == f"3 of 3 slices: {odd}"

    images = index([folder], tmp_path / "i.parquet", workers=1).images
    volume = {issue.name: issue.detail for issue in volume_from_rows(images).issues}
    assert volume["clipped"] == f"1 of 3 slices: {told}"
    assert volume["precision_differs"] == f"3 of 3 slices: {odd}"

    series = series_slices(images)
    packing = Packing(size=8, find_boxes=OneBox(whole_picture))
    store = pack(series, tmp_path / "store", packing, workers=1, progress=lambda done, all: None)
    ((_, found),) = study_issues(series, store).items()
    readings = {issue.name: issue.detail for issue in found}
    assert len(readings) == len(found)
    assert readings["clipped"] == f"1 of 3 slices: {told}"
    assert readings["precision_differs"] == f"3 of 3 slices: {odd}"

    export("png", [folder], tmp_path / "png", workers=1)
    manifest = pl.read_csv(tmp_path / "png" / "manifest.csv")
    named = [set((names or "").split()) for names in manifest["issues"].to_list()]
    assert sum("clipped" in names for names in named) == 1
    assert all("precision_differs" in names for names in named)
    export("npz", [folder], tmp_path / "npz", workers=1)
    names = pl.read_csv(tmp_path / "npz" / "manifest.csv")["issues"][0].split()
    assert {"clipped", "precision_differs"} <= set(names)
