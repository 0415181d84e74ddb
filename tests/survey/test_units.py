"""tests/survey/test_units.py: what values mean is counted, and why CT is not in HU."""

from collections.abc import Callable

import polars as pl

from wetread.survey.units import count_units

Index = Callable[..., pl.DataFrame]


def test_units_are_counted_with_the_reason_why_ct_is_not_in_hu(index_rows: Index) -> None:
    ct = {"Modality": "CT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}
    rescaled = {**ct, "RescaleSlope": 1.0, "RescaleIntercept": -1024.0}
    rows = index_rows(rescaled, rescaled, ct, {"Modality": "CR"})
    found = count_units(rows).select("modality", "unit", "issue", "images").rows()
    assert found == [
        ("CT", "HU", None, 2), ("CR", "grey", None, 1), ("CT", None, "no_rescale", 1),
    ]  # fmt: skip
