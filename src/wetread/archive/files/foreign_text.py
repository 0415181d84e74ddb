"""archive/files/foreign_text.py: text of a file, made safe for terminals and spreadsheets.

A UID, a description or a file's name may hold what a terminal obeys (escape codes, changes of the
direction of writing) or what a spreadsheet computes (a cell that starts with `=`). JSON and Parquet
escape or carry such text by themselves and need none of this.
"""

import re
import unicodedata

import polars as pl

MOST_LINE = 4500  # characters of one line that are shown: a path may have 4096
_HEAD, _TAIL = 600, 300  # what stays of a longer line
_JOINERS = "\u200c\u200d\u00ad"  # of Persian, Indic and others: they move nothing
_NAME_BYTES = range(
    0xF780, 0xF800
)  # archive/containers/contents.py: bytes of a name that are not UTF-8

# What Excel, LibreOffice and Google take for the beginning of a formula, wide forms included.
_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
# Numbers, several of them, run lengths and UIDs, which begin with a sign and compute nothing.
_ONE = r"[-+]?(\d+(\.\d*)*|\.\d+)([eE][-+]?\d+)?"
_NUMBER = rf"^{_ONE}(\\{_ONE})*( \d+)*$"
# An id: letters and digits after its sign, as in base64.
_ID = r"^[-+][\w.+/]*=*$"
_ID_COLUMNS = re.compile(
    r"(?:^|_)(?:id|image|study|series|patient|uid)$|UID$|ID$|Id$|^file$|^path$|^member$|_path$"
)


def visible(text: str, most: int = MOST_LINE) -> str:
    """Escape text as `escaped` does; of a longer one than `most` characters keep the beginning and
    the end, and between them its length."""
    if len(text) > most:
        head, tail = min(_HEAD, most * 2 // 3), min(_TAIL, most // 3)
        size = f"... {format_bytes(len(text.encode(errors='replace')))} ..."
        return escaped(text[:head]) + size + escaped(text[-tail:])
    return escaped(text)


def escaped(text: str) -> str:
    """Escape text to one line for a terminal: what moves, hides or turns stands as \\x1b.

    Bytes of a file's name that are not UTF-8 stand as \\xff.
    """
    return text if text.isprintable() else "".join(map(_visible_sign, text))


def format_bytes(count: int) -> str:
    """Format a number of bytes: `50 MB`."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"


def escape_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Put an apostrophe before text that a spreadsheet would compute, for a CSV file.

    Numbers and UIDs stay as they are, `-1` and `-1024.5` among them; in a column of ids, files or
    members also what is a sign with letters and digits.
    """
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(_harmless(name) for name in texts)


def _harmless(name: str) -> pl.Expr:
    text = pl.col(name)
    as_it_is = text.str.contains(_NUMBER)
    if _ID_COLUMNS.search(name):
        as_it_is |= text.str.contains(_ID)
    formula = text.str.contains(_FORMULA) & ~as_it_is
    return pl.when(formula).then("'" + text).otherwise(text).alias(name)


def _visible_sign(sign: str) -> str:
    if sign.isprintable() or sign in _JOINERS:
        return sign
    code = ord(sign)
    if code in _NAME_BYTES:
        return f"\\x{code - 0xF700:02x}"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if unicodedata.category(sign) == "Zs":
        return sign
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
