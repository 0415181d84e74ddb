"""outputs/mask_submission.py: masks in the competition's form: one row an image, complete."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from wetread.archive.files.atomic import write_csv
from wetread.labels.finding import Finding
from wetread.labels.rle import EMPTY
from wetread.labels.text_table import read_text_table
from wetread.outputs.submission import SubmissionContent

IMAGE, PIXELS = "ImageId", "EncodedPixels"
PAIRS = r"^\d+ \d+( \d+ \d+)*$"


def submit_masks(path: Path, what: SubmissionContent) -> tuple[str, ...]:
    """The masks' form; the images that got an empty mask because none was drawn, all of them where
    the network draws none."""
    expected = [*what.ids, *what.expected]
    return write_mask_submission(path, what.masks, what.sample, expected)


def write_mask_submission(
    path: Path,
    texts: Mapping[str, str],
    sample: Path | None = None,
    expected: Sequence[str] = (),
) -> tuple[str, ...]:
    """Write the file; return the images that got an empty mask because none was given.

    texts:    image to its mask by labels.rle.encode, form "relative"; "-1" where it is empty.
    sample:   a file with a column ImageId; its images in its order are written, no other. An image
              that stands there more than once (one row a part) is written once, at its first place.
    expected: without a sample, images that must be there, read or not; all are sorted.
    Raises ValueError where a text is no mask or the sample is of another form.
    """
    given = pl.DataFrame(
        {IMAGE: list(texts), PIXELS: list(texts.values())},
        schema={IMAGE: pl.String(), PIXELS: pl.String()},
    )
    _check(given)
    if sample is None:
        images = sorted({*texts, *expected})
        wanted = pl.DataFrame({IMAGE: images}, schema={IMAGE: pl.String()})
    else:
        wanted = _sample_images(sample)
    rows = wanted.join(given, on=IMAGE, how="left", maintain_order="left")
    unread = rows.filter(pl.col(PIXELS).is_null())[IMAGE].to_list()
    write_csv(path, rows.with_columns(pl.col(PIXELS).fill_null(EMPTY)))
    return tuple(unread)


def check_mask_sample(sample: Path, findings: Sequence[Finding]) -> None:
    """Raise ValueError where a sample submission is not in this form, which names no findings."""
    _sample_images(sample)


def _sample_images(sample: Path) -> pl.DataFrame:
    """(ImageId), each once; blanks around names and ids, which the competition's file has, go."""
    rows = read_text_table(sample).frame
    rows = rows.rename({name: name.strip(" \ufeff") for name in rows.columns})
    if IMAGE not in rows.columns:
        raise ValueError(
            f"{sample}: no column {IMAGE!r}; the header has {', '.join(map(repr, rows.columns))}. "
            "Give the competition's sample submission."
        )
    images = rows.select(pl.col(IMAGE).str.strip_chars()).with_row_index("line", 2)
    empty = images.filter(pl.col(IMAGE).is_null() | (pl.col(IMAGE) == ""))
    if not empty.is_empty():
        raise ValueError(
            f"{sample}: line {empty['line'][0]} has no {IMAGE}. Add it, or remove the line."
        )
    return images.select(IMAGE).unique(maintain_order=True, keep="first")


def _check(given: pl.DataFrame) -> None:
    is_mask = pl.col(PIXELS).str.contains(PAIRS) | (pl.col(PIXELS) == EMPTY)
    wrong = given.filter(~is_mask.fill_null(False))
    if not wrong.is_empty():
        text = str(wrong[PIXELS][0])[:40]
        raise ValueError(
            f"image {wrong[IMAGE][0]!r}: {text!r} is no run-length text; "
            f"it is {EMPTY} or pairs of gap and length. Encode the mask first."
        )
