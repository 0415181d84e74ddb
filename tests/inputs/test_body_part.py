"""tests/inputs/test_body_part.py: a part of the body by words, and lungs by sight."""

from pathlib import Path

import numpy as np
import pytest

from wetread.archive.index.index import build_index
from wetread.inputs.body_part import part_of, shows_lungs
from wetread.study.placement import SlicePlacement
from wetread.study.series import series_slices
from wetread.study.volume import Volume, volume_from_rows


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("CT CHEST W/O CONTRAST", "CHEST"),
        ("Thorax nativ", "CHEST"),
        ("CTPA 1.0 B20f", "CHEST"),
        ("Thoracic spine", "SPINE"),
        ("LWS sagittal", "SPINE"),
        ("Schädel nativ", "HEAD"),
        ("Head^Routine (Adult)", "HEAD"),
        ("Abdomen/Pelvis", "ABDOMEN"),
        ("LUNG", "CHEST"),
        ("Topogram 0.6", ""),
        ("", ""),
    ],
)
def test_words_name_a_part(words: str, part: str) -> None:
    assert part_of(words) == part


def slab(unit: str = "HU", *, air_hu: float = -800.0) -> Volume:
    """A body of water with two holes, on a pillow, in air."""
    hu = np.full((4, 64, 64), -1000.0, np.float32)
    hu[:, 12:52, 6:58] = 20
    hu[:, 20:44, 12:28] = hu[:, 20:44, 36:52] = air_hu
    hu[:, 54:62, 4:60] = -850
    place = SlicePlacement(
        np.full((4, 3), np.nan), np.full(6, np.nan), (np.nan, np.nan), np.full(4, np.nan)
    )
    return Volume(hu, place, ("",) * 4, (), np.arange(4.0), unit)


def test_lungs_are_seen_inside_a_body_and_not_in_its_pillow() -> None:
    assert shows_lungs(slab())
    assert not shows_lungs(slab(air_hu=30.0))
    assert not shows_lungs(slab(air_hu=-1000.0))  # gas, not lung
    assert not shows_lungs(slab("grey"))


@pytest.mark.parametrize(
    ("folder", "seen"), [("chest_ct", True), ("embolism_ct", True), ("head_ct_tilted", False)]
)
def test_real_chests_show_lungs_and_a_real_head_does_not(
    real_data: Path, tmp_path: Path, folder: str, seen: bool
) -> None:
    if not (real_data / folder).is_dir():
        pytest.skip(f"no {folder} in {real_data}")
    images = build_index([real_data / folder], tmp_path / "i.parquet", workers=1).images
    rows = max(series_slices(images), key=len)
    assert shows_lungs(volume_from_rows(rows)) is seen
