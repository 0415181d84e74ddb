"""tests/inputs/test_study_traits.py: traits of the series of a small archive, by study."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
from tests.verbs.conftest import ct_writer

from wetread.archive.index.index import build_index
from wetread.inputs.study_traits import study_traits
from wetread.study.series import series_slices


def test_series_with_packed_slices_have_traits_and_parts_are_named_alike(tmp_path: Path) -> None:
    write: Callable[..., Path] = ct_writer(tmp_path / "source")
    write(3, BodyPartExamined="SCHAEDEL")
    source = write(2, StudyInstanceUID="1.99", BodyPartExamined="THORAX")
    index = build_index([source], tmp_path / "index.parquet", workers=1)
    packed = pl.DataFrame(
        {
            "SeriesInstanceUID": ["1.8.0"] * 3,
            "StudyInstanceUID": ["1.7"] * 3,
            "box": [[0, 20, 0, 24]] * 3,
        }
    )
    found = study_traits(series_slices(index.images), packed)
    assert list(found) == ["1.7"]  # of the other study nothing was packed
    (traits,) = found["1.7"]
    assert dict(traits.words) == {"modality": "CT", "body_part": "HEAD"}
    assert traits.numbers["slices"] == 3
    assert traits.numbers["distance_mm"] == 5
    assert (traits.numbers["height_mm"], traits.numbers["width_mm"]) == (10, 12)
