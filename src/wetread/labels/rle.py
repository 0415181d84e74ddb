"""labels/rle.py: run-length text and a mask (rows, columns) into each other. Reads no files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from wetread.archive.errors import WetreadError
from wetread.archive.types import BoolArray, Int64Array

EMPTY = "-1"  # a mask without a pixel

REASONS: dict[str, str] = {
    "mask_not_numbers": "text that is no whole numbers, or a start without its length",
    "mask_backwards": "a run of no pixels, or one that begins before the run ahead of it",
    "mask_overlap": "a run that begins inside the run ahead of it",
    "mask_outside": "runs that leave the image, or counts that do not cover it",
}


class RleError(WetreadError, ValueError):
    """Text that is no mask of this image; `reason` is a key of REASONS."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


@dataclass(frozen=True)
class RleForm:
    """How the numbers of a text encode the runs of a mask.

    by_columns: pixels are counted column by column from the top left; otherwise row by row.
    to_edges:   (numbers, pixels of the image) -> (2R,): start and end of each run, pixel positions
                from 0, the end not of the run; may name what is wrong, but need not look for it.
    to_numbers: (edges, pixels of the image) -> the numbers.
    """

    by_columns: bool
    to_edges: Callable[[Int64Array, int], Int64Array]
    to_numbers: Callable[[Int64Array, int], Int64Array]


def decode(text: str, shape: tuple[int, int], form: str = "relative") -> BoolArray:
    """Decode one text to a mask (rows, columns) bool, laid out in memory as the form counts.

    RleError where the text is no mask of this shape; `-1` is the empty mask in every form.
    """
    rows, columns = shape
    chosen = find_rle_form(form)
    pixels = rows * columns
    edges = read_edges(text, pixels, chosen)
    inside = np.zeros(edges.size + 1, dtype=np.bool_)
    inside[1::2] = True
    flat = np.repeat(inside, np.diff(edges, prepend=0, append=pixels))
    return flat.reshape(columns, rows).T if chosen.by_columns else flat.reshape(rows, columns)


def decode_union(texts: Sequence[str], shape: tuple[int, int], form: str = "relative") -> BoolArray:
    """Decode the union of texts: (rows, columns) bool; no text marks nothing."""
    if not texts:
        return decode(EMPTY, shape, form)
    union = decode(texts[0], shape, form)
    for text in texts[1:]:
        union |= decode(text, shape, form)
    return union


def encode(mask: NDArray[np.generic], form: str = "relative") -> str:
    """Encode a mask (rows, columns), bool or integers of which 0 is background, as text.

    The exact inverse of `decode`: touching pixels are one run, the last pixel ends one. An empty
    mask is `-1`, but in COCO's form its one count.
    """
    chosen = find_rle_form(form)
    if mask.ndim != 2 or mask.dtype.kind not in "biu":
        raise ValueError(
            f"a mask is (rows, columns) of bool or integers, not {mask.shape} of {mask.dtype}; "
            "compare probabilities with a threshold first"
        )
    marked = mask.astype(np.bool_, copy=False)
    edges = edges_of(marked.T if chosen.by_columns else marked)
    numbers = chosen.to_numbers(edges, mask.size)
    return " ".join(map(str, numbers.tolist())) if numbers.size else EMPTY


def is_empty(text: str, form: str = "relative") -> bool:
    """Whether a text marks nothing, without the image's shape."""
    if text.strip() == EMPTY:
        return True
    return find_rle_form(form) is FORMS["coco"] and not read_numbers(text)[1::2].any()


def find_rle_form(name: str) -> RleForm:
    """Find the form of that name; ValueError lists the names there are."""
    try:
        return FORMS[name]
    except KeyError:
        raise ValueError(f"no mask form {name!r}; choose one of {', '.join(FORMS)}") from None


def read_edges(text: str, pixels: int, form: RleForm) -> Int64Array:
    """Read a text's starts and ends (2R,) of runs, growing, within 0..pixels; RleError
    otherwise."""
    if text.strip() == EMPTY:
        return np.zeros(0, dtype=np.int64)
    # What is outside stays outside when cut down to just outside, and sums cannot overflow.
    edges = form.to_edges(read_numbers(text).clip(-pixels - 2, pixels + 2), pixels)
    starts, ends = edges[::2], edges[1::2]
    if edges.size and (edges[0] < 0 or edges.max() > pixels or (np.diff(edges) < 0).any()):
        refuse(starts[1:] < starts[:-1], "mask_backwards", "begins before the run ahead of it")
        refuse(starts[1:] < ends[:-1], "mask_overlap", "begins inside the run ahead of it")
        outside = (starts < 0) | (ends > pixels)
        raise RleError(
            "mask_outside",
            f"run {int(outside.argmax()) + 1} leaves the image of {pixels} pixels",
        )
    return edges


def read_numbers(text: str) -> Int64Array:
    """Read the whole numbers of a text, (N,) with N at least 1; RleError where it holds others."""
    words = text.split()
    if not words:
        raise RleError("mask_not_numbers", f"the text is empty; an empty mask is {EMPTY}")
    try:
        return np.array(words, dtype=np.int64)
    except OverflowError:
        raise RleError("mask_outside", "a number of more than 18 digits") from None
    except ValueError:
        wrong = next((word for word in words if not word.lstrip("-").isdigit()), words[0])
        raise RleError("mask_not_numbers", f"{wrong[:20]!r} is no whole number") from None


def refuse(wrong: BoolArray, reason: str, what: str, first: int = 2) -> None:
    """Raise RleError for the first wrong run of wrong (R,); its first flag is of run `first`."""
    if wrong.any():
        raise RleError(reason, f"run {int(wrong.argmax()) + first} {what}")


def edges_of(lines: BoolArray) -> Int64Array:
    """Return the starts and ends (2R,) of the runs of a mask (lines, places), read line by line."""
    flat = lines.reshape(-1) if lines.flags.c_contiguous else None
    if flat is not None:
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    else:
        changes = changes_across(lines.T)
    parts = [changes]
    if lines.size and lines[0, 0]:
        parts.insert(0, np.zeros(1, dtype=np.int64))
    if lines.size and lines[-1, -1]:
        parts.append(np.array([lines.size], dtype=np.int64))
    return np.concatenate(parts).astype(np.int64, copy=False)


def changes_across(mask: BoolArray) -> Int64Array:
    """Return the changes (K,) of a mask (places, lines) read line by line.

    It lies in memory the other way: transposing a million pixels would take longer than the rest.
    """
    places, lines = mask.shape
    if mask.size == 0:
        return np.zeros(0, dtype=np.int64)
    changed = np.empty(mask.shape, dtype=np.bool_)
    changed[0, 0] = False
    np.not_equal(mask[0, 1:], mask[-1, :-1], out=changed[0, 1:])  # a line goes on in the next one
    np.not_equal(mask[1:], mask[:-1], out=changed[1:])
    place, line = np.divmod(np.flatnonzero(changed), lines)
    return np.sort(line * places + place)


def pairs(numbers: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Split numbers (2R,) of a form of pairs: (R,) before each length, and the lengths (R,)."""
    if numbers.size % 2:
        raise RleError("mask_not_numbers", f"{numbers.size} numbers: a start without its length")
    refuse(numbers[1::2] < 1, "mask_backwards", "has a length of 0 or less", first=1)
    return numbers[::2], numbers[1::2]


def gaps_to_edges(numbers: Int64Array, _pixels: int) -> Int64Array:
    """Return the edges (2R,) of numbers (2R,): gap, length, each counted from the edge before."""
    pairs(numbers)
    return np.cumsum(numbers)


def edges_to_gaps(edges: Int64Array, _pixels: int) -> Int64Array:
    """Return the numbers (2R,) of edges (2R,): the inverse of `gaps_to_edges`."""
    return np.diff(edges, prepend=0)


def starts_to_edges(numbers: Int64Array, _pixels: int, *, first: int) -> Int64Array:
    """Return the edges (2R,) of numbers (2R,): start, length; `first`: number of the first
    pixel."""
    starts, lengths = pairs(numbers)
    return np.stack([starts - first, starts - first + lengths], axis=1).reshape(-1)


def edges_to_starts(edges: Int64Array, _pixels: int, *, first: int) -> Int64Array:
    """Return the numbers (2R,) of edges (2R,): the inverse of `starts_to_edges`."""
    return np.stack([edges[::2] + first, edges[1::2] - edges[::2]], axis=1).reshape(-1)


def counts_to_edges(numbers: Int64Array, pixels: int) -> Int64Array:
    """Return the edges (2R,) of counts (N,): lengths of background and mask in turn, background
    first; they sum to the image's pixels."""
    refuse(numbers < 0, "mask_backwards", "has a length below 0", first=1)
    if numbers.sum() != pixels:
        raise RleError("mask_outside", f"the counts cover {numbers.sum()} pixels, not {pixels}")
    return np.cumsum(numbers)[: numbers.size // 2 * 2]


def edges_to_counts(edges: Int64Array, pixels: int) -> Int64Array:
    """Return the counts (N,) of edges (2R,): the inverse of `counts_to_edges`.

    Background of no pixels is written only at the front.
    """
    counts = np.diff(edges, prepend=0, append=pixels)
    return counts[:-1] if edges.size and edges[-1] == pixels else counts


def absolute(by_columns: bool, first: int) -> RleForm:
    """Make a form of pairs: where a run starts, and its length."""
    return RleForm(
        by_columns,
        partial(starts_to_edges, first=first),
        partial(edges_to_starts, first=first),
    )


FORMS: dict[str, RleForm] = {
    "relative": RleForm(True, gaps_to_edges, edges_to_gaps),  # SIIM-ACR 2019's
    "columns_0": absolute(by_columns=True, first=0),
    "columns_1": absolute(by_columns=True, first=1),
    "rows_0": absolute(by_columns=False, first=0),
    "rows_1": absolute(by_columns=False, first=1),
    "coco": RleForm(True, counts_to_edges, edges_to_counts),  # COCO's counts, not compressed
}
