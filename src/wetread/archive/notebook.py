"""archive/notebook.py: tables and pictures as the HTML that a notebook shows of a value."""

from __future__ import annotations

from base64 import b64encode
from html import escape

import polars as pl

from wetread.archive.types import UInt8Array

MOST_ROWS = 60  # of a table; the rest is counted


def table_html(table: pl.DataFrame, caption: str = "") -> str:
    """Return a table as HTML under a caption, its text escaped; null stands as an empty cell."""
    shown = table.head(MOST_ROWS)
    head = "".join(f"<th>{escape(name)}</th>" for name in shown.columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_cell(value))}</td>' for value in row)}</tr>"
        for row in shown.iter_rows()
    )
    rest = table.height - shown.height
    more = f"<p>and {rest} more rows</p>" if rest else ""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def picture_html(picture: UInt8Array, caption: str) -> str:
    """Return a gray picture (rows, columns) uint8 as HTML, a PNG inside it, over its caption."""
    import imagecodecs

    code = b64encode(imagecodecs.png_encode(picture)).decode("ascii")
    image = f'<img src="data:image/png;base64,{code}" alt="{escape(caption)}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def _cell(value: object) -> str:
    """Text of a cell: three decimals of a float, nothing of null, the items of a list."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value))
    return str(value)
