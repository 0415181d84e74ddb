"""tests/archive/test_notebook.py: tables and pictures as HTML."""

import base64
import re

import cv2
import numpy as np
import polars as pl

from wetread.archive.notebook import MOST_ROWS, picture_html, table_html


def test_text_of_a_table_becomes_no_markup() -> None:
    html = table_html(pl.DataFrame({"<b>": ["<script>alert(1)</script>", None]}), "a & b")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<th>&lt;b&gt;</th>" in html
    assert "<caption>a &amp; b</caption>" in html
    assert html.endswith("<tr><td></td></tr></tbody></table>")


def test_numbers_have_three_decimals_and_lists_their_items() -> None:
    html = table_html(pl.DataFrame({"x": [0.12345], "n": [7], "l": [[1.0, 2.0]]}))
    assert "<td>0.123</td><td>7</td><td>1.000, 2.000</td>" in html


def test_rows_beyond_the_most_are_counted() -> None:
    html = table_html(pl.DataFrame({"x": range(MOST_ROWS + 3)}))
    assert html.count("<tr>") == 1 + MOST_ROWS
    assert "and 3 more rows" in html


def test_a_picture_is_inside_the_page_pixel_by_pixel() -> None:
    picture = np.arange(256, dtype=np.uint8).reshape(8, 32)
    html = picture_html(picture, 'eight "rows"')
    code = base64.b64decode(re.findall(r'base64,([^"]+)"', html)[0])
    found = cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(found, picture)
    assert 'alt="eight &quot;rows&quot;"' in html
