"""pages/panel.py: one picture of a page with its label, and the label of a window."""

from __future__ import annotations

from dataclasses import dataclass

from wetread.view.window import WINDOWS, Window

FILM = WINDOWS["display"]


@dataclass(frozen=True, eq=False)
class Panel:
    """A picture on a page.

    image: bytes of a PNG or JPEG file.
    label: the text under it; alt: a longer text for those who do not see it.
    left, right: the patient's side at that edge ("R", "L", ...); empty where it is not known.
    """

    image: bytes
    label: str
    alt: str
    left: str = ""
    right: str = ""


def window_label(window: Window) -> str:
    """Return "brain window (center 40, width 80 HU)"; of a radiograph "the film as displayed"."""
    if window == FILM:
        return "the film as displayed"
    name = next((name for name, known in WINDOWS.items() if known == window), "")
    range_hu = f"center {window.center_hu:g}, width {window.width_hu:g} HU"
    return f"{name.replace('_', ' ')} window ({range_hu})" if name else f"window: {range_hu}"


def media_type(image: bytes) -> str:
    """Return the media type of a picture file's bytes; ValueError unless it is PNG or JPEG."""
    if image.startswith(b"\x89PNG"):
        return "image/png"
    if image.startswith(b"\xff\xd8"):
        return "image/jpeg"
    raise ValueError("a page takes PNG and JPEG pictures alone")
