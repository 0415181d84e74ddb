"""study/issue.py: one thing that is unusual in a series: its name, its rule, its figures."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from wetread.archive.notes import NAMED

RULES: dict[str, str] = {
    "gantry_tilt": "the way from slice to slice leaves the normal by 0.25 degrees or more",
    "gap": "in a run of equal SliceThickness a distance is 2 or more times the median, within 10 %",
    "irregular_spacing": "slices lie more than 0.1 mm beside equal steps, and no gap explains it",
    "duplicate_position": "slices of other pixels lie within 0.01 mm along the normal",
    "duplicate_removed": "slices lie within 0.01 mm along the normal and have the same pixels",
    "several_acquisitions": "positions repeat, or regular passes run through one another, and "
    "columns of the header tell them apart",
    "capture_removed": "a picture of a screen or a page among slices",
    "localizer_removed": "ImageType says LOCALIZER, or at most 3 slices lie in a plane far off",
    "mixed_orientation": "(0020,0037) differs by more than 1e-3 in a cosine",
    "mixed_shape": "Rows or Columns differ",
    "mixed_spacing": "the spacing of rows or columns differs by more than 0.001 mm",
    "mixed_unit": "the unit of the values differs, by Rescale Type",
    "mixed_rescale": "RescaleSlope or RescaleIntercept differ",
    "order_disagrees": "InstanceNumber does not grow along the normal",
    "number_hole": "an InstanceNumber between the least and the greatest is absent",
    "thickness_differs": "SliceThickness changes, or is 10 % off the distance of the slices",
    "single_slice": "one slice has no distance",
    "slices_rejected": "a slice cannot be read",
    "no_rescale": "a CT without RescaleSlope and RescaleIntercept: its values have no unit",
    "not_hu": "a CT's Rescale Type, or Modality LUT Type, is not HU",
    "taken_as_hu": "a CT whose header does not say HU was taken so on request",
    "intercept_repaired": "12-bit signed values were labelled unsigned",
    "padding_undeclared": "values below -1024 HU without a declared padding",
    "window_unusable": "the header names a window or VOI table that cannot be used",
    "lossy": "the pixels were compressed with loss",
    "monochrome1": "the least value is white",
    "burned_in": "(0028,0301) BurnedInAnnotation is YES",
    "spacing_from_detector": "(0018,1164) stands in for an absent (0028,0030)",
    **NAMED,
    "no_geometry": "a position, an orientation or a spacing is absent, or all positions are 0",
}


@dataclass(frozen=True)
class Issue:
    """One thing that is unusual.

    name:        a key of RULES.
    detail:      where and how much: slices counted from 0 along the normal, mm.
    resolved_by: what was done about it, so that it no longer stands in the way; empty: nothing.
    """

    name: str
    detail: str
    resolved_by: str = ""


def slice_names(rows: pl.DataFrame) -> str:
    """Join the SOP Instance UIDs of the first rows, and say how many more there are."""
    return shortened(rows["SOPInstanceUID"].fill_null("no UID").to_list())


def shortened(items: Sequence[object], most: int = 5, between: str = ", ") -> str:
    """Join the first items, and say how many more there are."""
    shown = between.join(map(str, items[:most]))
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"
