"""pages/environment.py: templates of pages, filled in. Jinja2 is imported when a page is made."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from wetread.archive.files.foreign_text import visible
from wetread.archive.plural import singular
from wetread.pages.panel import media_type

if TYPE_CHECKING:
    from jinja2 import Environment


def page_environment() -> Environment:
    """Return the templates of this folder: text is escaped, a missing name is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("wetread.pages", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data"] = _data_address
    environment.filters["words"] = spaced_words
    environment.filters["counted"] = counted
    environment.filters["percent"] = percent
    environment.filters["listed"] = listed
    environment.filters["visible"] = visible
    return environment


def spaced_words(name: str) -> str:
    """Return a name of code as words: "held_out" to "held out"."""
    return name.replace("_", " ")


def listed(value: object) -> str:
    """Return a list as its items, ["brain", "bone"] to "brain, bone"; other values as text."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def percent(share: float | None) -> str:
    """Return a share in percent: 0.157 to "15.7 %"."""
    if share is None:
        return "–"
    return f"{100 * share:.2f} %" if share < 0.01 else f"{100 * share:.1f} %"


def _data_address(image: bytes) -> str:
    return f"data:{media_type(image)};base64,{base64.b64encode(image).decode()}"


def counted(count: int, nouns: str) -> str:
    """Return a number with its noun, given in the plural: `5 images`, `1 image`."""
    return f"{count} {singular(nouns) if count == 1 else nouns}"
