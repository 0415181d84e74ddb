"""pages/scroll_page.py: a series as one HTML page to scroll, that needs nothing else.

The values travel as pages/slice_code.py writes them and are windowed in the browser. The slice
that is shown first stands first, so that it appears before the rest has been read.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from wetread.archive.errors import WetreadError
from wetread.archive.files.atomic import write_output
from wetread.archive.types import BoolArray, FloatArray
from wetread.outputs.sides import direction_letters, edge_letters
from wetread.pages.content_policy import content_policy
from wetread.pages.page import USE
from wetread.pages.scroll_planes import describe_planes
from wetread.pages.slice_code import CodedSlice, code_mask, code_slice
from wetread.study.geometry import unit_axes
from wetread.study.issue import Issue
from wetread.study.placement import SlicePlacement
from wetread.study.unit import UNITLESS
from wetread.study.volume import Volume
from wetread.view.window import Window

FOLDER = "scroll"
SCRIPTS = (  # in this order
    *("code", "window", "slices", "planes", "viewer", "controls"),
    *("find", "shapes", "measure", "input", "start"),
)
MASK_COLORS = (
    *((255, 107, 87), (72, 187, 255), (255, 206, 92), (124, 221, 138)),
    *((199, 146, 234), (255, 145, 190), (94, 224, 212), (255, 160, 70)),
)
HELP = (
    ("wheel, ↑ ↓", "slice by slice"),
    ("Page ↑ ↓, Home, End", "ten slices; first, last"),
    ("g", "go to a slice, by its number or SOP Instance UID"),
    ("drag", "window: across the width, down the center"),
    ("1 … 9, 0", "window presets"),
    ("+ −, Ctrl + wheel, right drag", "zoom"),
    ("Shift + drag; p", "move the picture; always"),
    ("d, a, e, q, f", "measure: distance, angle, ellipse, rectangle, freehand"),
    ("Esc, Delete", "measure no more; take away the last one"),
    ("i, m", "invert; masks on and off"),
    ("space", "play and pause"),
    ("r", "reset"),
    ("one finger", "slices"),
    ("two fingers", "together: window; apart: zoom"),
    ("?", "this help"),
)
GLOSSARY = (
    ("file, file 2", "the windows that the file itself names"),
    ("linear", "DICOM's LINEAR curve: half a step beside the exact straight line"),
    ("sigmoid", "a curve that flattens towards black and white"),
    ("mm LPS", "towards the patient's left, back (posterior) and head (superior)"),
    ("R L A P H F", "right, left, front (anterior), back (posterior), head, feet of the patient"),
)
SIDE_NAMES = {
    **{"R": "right", "L": "left", "A": "front", "P": "back", "H": "head", "F": "feet"},
}


class PageTooBigError(WetreadError, ValueError):
    """A page would be larger than allowed."""


@dataclass(frozen=True)
class Preset:
    """A window by name."""

    name: str
    window: Window


@dataclass(frozen=True, eq=False)
class Overlay:
    """A mask by name. inside: (Z, Y, X) bool, of the volume's shape."""

    name: str
    inside: BoolArray


@dataclass(frozen=True)
class OtherPage:
    """A page to switch to: its file in the same folder, its name, whether it is this page."""

    file: str
    name: str
    here: bool = False


@dataclass(frozen=True, eq=False)
class ScrollContent:
    """The content of a page. No text names a patient.

    presets:  the windows to choose from; the first ten have a key.
    preset:   the number of the one that is shown first.
    start:    the slice that is shown first.
    inverted: whether the least value is shown white (MONOCHROME1).
    issues:   of the geometry.
    facts:    of the series, name and value.
    instances: InstanceNumber of each slice; empty: none is known.
    others:   the pages of the study's series, this one among them; empty: no switch.
    """

    title: str
    volume: Volume
    presets: tuple[Preset, ...]
    preset: int
    start: int
    inverted: bool = False
    overlays: tuple[Overlay, ...] = ()
    issues: tuple[Issue, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    instances: tuple[int | None, ...] = ()
    others: tuple[OtherPage, ...] = ()


def write_scroll_page(path: Path, content: ScrollContent, most_bytes: int) -> int:
    """Write the page and return its size in bytes; PageTooBigError above most_bytes."""
    coded = [code_slice(values) for values in content.volume.hu]
    page = "".join(_parts(content, coded)).encode()
    if len(page) > most_bytes:
        raise PageTooBigError(
            f"{path.name}: {len(coded)} slices make a page of {len(page) / 1e6:.1f} MB, more than "
            f"the {most_bytes / 1e6:g} MB that are allowed; allow more with `most_mb`"
        )
    write_output(path, page)
    return len(page)


def leave_out_of_switch(path: Path, files: Sequence[str]) -> None:
    """Remove pages that could not be written from the switch of one that was."""
    page = path.read_text("utf-8")
    for file in files:
        option = rf' *<option value="{re.escape(file)}">[^<]*</option>\n'
        page = re.sub(option, "", page, count=1)
    write_output(path, page.encode())


def _parts(content: ScrollContent, coded: Sequence[CodedSlice]) -> Iterator[str]:
    """Yield the page, and behind its script the slices, those near the first one first."""
    order = sorted(range(len(coded)), key=lambda k: abs(k - content.start))
    yield _frame(content, coded, _element(content, coded, order[0]))
    for number in order[1:]:
        yield _element(content, coded, number)
    yield "</body>\n</html>\n"


def _element(content: ScrollContent, coded: Sequence[CodedSlice], number: int) -> str:
    masks = [code_mask(overlay.inside[number]) for overlay in content.overlays]
    lines = "\n".join((coded[number].text, coded[number].table, *masks))
    return f'<script type="text/plain" id="slice-{number}">{lines}</script>\n'


def _frame(content: ScrollContent, coded: Sequence[CodedSlice], first: str) -> str:
    """Return the page up to its second slice."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    files = resources.files("wetread.pages") / FOLDER
    script = "\n".join((files / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    script = f"\n{script}\n"
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((files / "page.html.j2").read_text("utf-8"))
    described = json.dumps(describe_series(content, coded), allow_nan=False, separators=(",", ":"))
    return template.render(
        title=content.title,
        use=USE,
        count=len(coded),
        masks=bool(content.overlays),
        issues=content.issues,
        facts=(*content.facts, ("Values", _exactness(content.volume.unit or UNITLESS, coded))),
        help=_help(content.volume.place),
        words=GLOSSARY,
        others=content.others,
        policy=Markup(content_policy(script)),
        planes=describe_planes(content.volume.place, content.volume.hu.shape),
        style=Markup((files / "style.css").read_text("utf-8")),
        script=Markup(script),
        series=Markup(described.replace("<", "\\u003c")),
        first=Markup(first),
    )


def _help(place: SlicePlacement) -> Sequence[tuple[str, str]]:
    """Return the keys; of the wheel also its direction, where the slices' places are known."""
    direction = place.origins_mm[-1] - place.origins_mm[0]
    if not np.isfinite(direction).all() or not direction.any():
        return HELP
    side = SIDE_NAMES[direction_letters(direction)[0]]
    first = ("wheel down, ↓", f"slice by slice towards the {side} of the patient")
    if side in ("right", "left"):
        first = ("wheel down, ↓", f"slice by slice towards the patient's {side}")
    return (first, ("wheel up, ↑", "back"), *HELP[1:])


def describe_series(content: ScrollContent, coded: Sequence[CodedSlice]) -> dict[str, object]:
    """Return the series as the page's script reads it; JSON, null for unknown values."""
    volume, place = content.volume, content.volume.place
    spacing = place.spacing_mm if np.isfinite(place.spacing_mm).all() else None
    along_row, along_column = _steps(place)
    whole, step = not any(slice_.table for slice_ in coded), min(slice_.step for slice_ in coded)
    return {
        "rows": volume.hu.shape[1],
        "columns": volume.hu.shape[2],
        "unit": volume.unit or UNITLESS,
        "range": [float(volume.hu.min()), float(volume.hu.max())],
        "step": step,
        "digits": 0 if whole else int(np.clip(np.ceil(1 - np.log10(step)), 0, 6)),
        "spacing": spacing,
        "alongRow": along_row,
        "alongColumn": along_column,
        "letters": edge_letters(place.orientation),
        "slices": [
            {"position": _known(position), "origin": _all_known(origin)}
            for position, origin in zip(place.positions_mm, place.origins_mm, strict=True)
        ],
        "sops": list(volume.sources) if any(volume.sources) else [],
        "instances": list(content.instances) if any(content.instances) else [],
        "planes": describe_planes(place, volume.hu.shape),
        "presets": [_described(preset) for preset in content.presets],
        "preset": content.preset,
        "start": content.start,
        "inverted": content.inverted,
        "masks": [
            {"name": overlay.name, "colour": MASK_COLORS[k % len(MASK_COLORS)]}
            for k, overlay in enumerate(content.overlays)
        ],
    }


def _described(preset: Preset) -> dict[str, object]:
    window = preset.window
    return {
        "name": preset.name,
        "center": window.center_hu,
        "width": window.width_hu,
        "curve": window.curve,
    }


def _steps(place: SlicePlacement) -> tuple[list[float] | None, list[float] | None]:
    """Return (3,) LPS mm each, from column to column and from row to row; None where unknown."""
    if np.isnan(place.orientation).any() or np.isnan(place.spacing_mm).any():
        return None, None
    row, column, _ = unit_axes(place.orientation)
    between_rows, between_columns = place.spacing_mm
    return (row * between_columns).tolist(), (column * between_rows).tolist()


def _exactness(unit: str, coded: Sequence[CodedSlice]) -> str:
    """Return the unit, and whether the page's values are exactly those of the series."""
    error = max(slice_.error for slice_ in coded)
    return f"{unit}, exact" if error == 0 else f"{unit}, within {error:.2g}"


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _all_known(values: FloatArray) -> list[float] | None:
    return values.tolist() if np.isfinite(values).all() else None
