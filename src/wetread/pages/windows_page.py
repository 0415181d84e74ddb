"""pages/windows_page.py: every mode over the HU axis, and a slice in every mode, as one page.

The page needs nothing else: pictures are inside, curves travel as numbers and are drawn in the
browser by windows_page.js, which reads them again under the pointer.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wetread.archive.files.atomic import write_output
from wetread.archive.types import FloatArray, UInt8Array
from wetread.outputs.pictures import png_bytes
from wetread.pages.content_policy import content_policy
from wetread.pages.page import USE
from wetread.study.histogram import Histogram, SeriesHistograms

TEMPLATE, SCRIPT = "windows_page.html.j2", "windows_page.js"
HU_AXIS = np.arange(-1024.0, 3072.0)  # (4096,) the range of 12 bits; the curves' places


@dataclass(frozen=True)
class TissueRange:
    """A tissue's range of HU, both ends included, and the color that marks it."""

    name: str
    low_hu: float
    high_hu: float
    color: str


# Air, fat, water, CSF, white and gray matter, muscle, blood, bone: the table of Wikipedia's
# "Hounsfield scale" and the works cited there. Lung: the same, and T. Buzug, Computed Tomography,
# Springer 2008, p. 475. Contrast: soft tissue on contrast CT.
TISSUES_SOURCE = (
    "Ranges of HU: the table of Wikipedia, “Hounsfield scale”, and the works cited there; "
    "lung also T. M. Buzug, Computed Tomography, Springer 2008, p. 475. "
    "They overlap, and move with the tube's voltage, the patient and the scanner."
)
TISSUE_RANGES = (
    TissueRange("air", -1024, -990, "#6b7f8c"),
    TissueRange("lung", -910, -600, "#5b8fb9"),
    TissueRange("fat", -120, -90, "#d8a31a"),
    TissueRange("water", -2, 2, "#2f7fd6"),
    TissueRange("CSF", 5, 15, "#2aa6b8"),
    TissueRange("blood, unclotted", 13, 50, "#c9504f"),
    TissueRange("white matter", 20, 30, "#8a8f98"),
    TissueRange("muscle", 35, 55, "#b5654a"),
    TissueRange("gray matter", 37, 45, "#5f6570"),
    TissueRange("clot", 50, 75, "#9c1f2e"),
    TissueRange("contrast", 100, 300, "#7a4fb5"),
    TissueRange("spongy bone", 300, 400, "#a8875a"),
    TissueRange("compact bone", 500, 1900, "#8c6b3a"),
)


@dataclass(frozen=True, eq=False)
class ModePanel:
    """A mode: its curves (channels, len(HU_AXIS)) in [0, 1], and a picture of a slice in it, uint8,
    (rows, columns) or (rows, columns, 3), red first."""

    name: str
    description: str
    curves: FloatArray
    picture: UInt8Array


@dataclass(frozen=True, eq=False)
class WindowsPage:
    """The content of the page.

    hu:         (rows, columns) int16 of the slice, in the pictures' pixels.
    caption:    which slice it is; names no patient.
    sides:      letters of the patient's side at the left and right edge; "" where not known.
    histograms: of its series; None where there is none.
    """

    modes: tuple[ModePanel, ...]
    hu: NDArray[np.int16]
    caption: str
    histograms: SeriesHistograms | None = None
    sides: tuple[str, str] = ("", "")


def write_windows_page(path: Path, page: WindowsPage) -> None:
    """Write the page; one file, no request to anywhere."""
    write_output(path, windows_page_html(page).encode())


def windows_page_html(page: WindowsPage) -> str:
    """Return the page as HTML text."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["png"] = lambda image: _text(png_bytes(_blue_first(image)))
    room = resources.files("wetread.pages")
    script = room.joinpath(SCRIPT).read_text(encoding="utf-8")
    data = json.dumps(_data(page), separators=(",", ":")).replace("<", "\\u003c")
    return environment.from_string(room.joinpath(TEMPLATE).read_text(encoding="utf-8")).render(
        page=page,
        use=USE,
        source=TISSUES_SOURCE,
        data=Markup(data),
        script=Markup(script),
        policy=Markup(content_policy(script)),
    )


def _data(page: WindowsPage) -> dict[str, object]:
    """Return the data of the script: 16-bit numbers as base64, little endian."""
    histograms = page.histograms
    return {
        "first_hu": int(HU_AXIS[0]),
        "last_hu": int(HU_AXIS[-1]),
        "modes": [
            {
                "name": mode.name,
                "curves": [
                    _text(np.rint(curve * 65535).astype("<u2").tobytes()) for curve in mode.curves
                ],
            }
            for mode in page.modes
        ],
        "tissues": [_tissue(tissue) for tissue in TISSUE_RANGES],
        "slice": {
            "rows": page.hu.shape[0],
            "columns": page.hu.shape[1],
            "hu": _text(page.hu.astype("<i2").tobytes()),
        },
        "hu_histogram": None if histograms is None else _bars(histograms.values),
        "stored_histogram": None if histograms is None else _bars(histograms.stored),
    }


def _tissue(tissue: TissueRange) -> dict[str, object]:
    """Return a tissue as the script reads it."""
    ends = {"low_hu": tissue.low_hu, "high_hu": tissue.high_hu}
    return {"name": tissue.name, **ends, "colour": tissue.color}


def _bars(counted: Histogram) -> dict[str, object]:
    """Return the bins from the first to the last that is not empty."""
    filled: Sequence[int] = np.flatnonzero(counted.counts).tolist() or [0]
    first, last = filled[0], filled[-1]
    low = counted.bins.low + first * counted.bins.step
    counts = counted.counts[first : last + 1].tolist()
    outside = {"below": counted.below, "above": counted.above}
    return {"low": low, "step": counted.bins.step, "counts": counts, **outside}


def _blue_first(image: UInt8Array) -> UInt8Array:
    """Return a picture as png_bytes takes it."""
    return image if image.ndim == 2 else np.ascontiguousarray(image[:, :, ::-1])


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
