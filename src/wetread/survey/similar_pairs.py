"""survey/similar_pairs.py: fingerprints become pairs of images that share their fine structure.

Residuals at the small size say which pairs are candidates, in blocks of a matrix product;
those at the larger size decide. Neighboring slices of one exam look alike: they need more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from wetread.archive.types import BoolArray, Float32Array, FloatArray, Int64Array
from wetread.survey.fingerprint import (
    COARSE,
    Int8Array,
    UInt16Array,
    correlate,
    explained_gray,
    split_mask,
)
from wetread.survey.orientation import TRANSPOSED, even_and_odd, flipped_products, turn


@dataclass(frozen=True, eq=False)
class ComparedImages:
    """Images that are compared with each other.

    coarse: (R, COARSE, COARSE) int8; fine: (R, FINE, FINE) int8; gray: (R, GRAY, GRAY) uint16:
            survey/fingerprint.py. They may lie on the disk.
    place:  (N,) the images' places among those R.
    pixels: (N,) which images have equal pixels.
    study:  (N,) which images are of one study.
    form:   (N,) which images are of one shape, encoding and unit, as all slices of a series are.
    source: (N,) the archive, 0 or 1.
    instance: (N,) which images have one SOP Instance UID: frames of a file, or two archives.
    """

    coarse: Int8Array
    fine: Int8Array
    gray: UInt16Array
    place: Int64Array
    pixels: Int64Array
    study: Int64Array
    form: Int64Array
    source: Int64Array
    instance: Int64Array


@dataclass(frozen=True)
class SimilarPair:
    """Two images by number; turn: survey/orientation.py, what brings the second upon the first."""

    first: int
    second: int
    turn: int
    correlation: float


# Measured on 1,095 real images (head, chest, films) and 433 phantoms: the likest images of two
# studies correlate by 0.43 (phantoms 0.36), of one study, one of them turned, by 0.36 (0.40); of a
# hundred copies all but one by 0.64 (phantoms 0.45, whose noise is all in single pixels).
# Of 2,457 other slices of head phantoms two pairs reached more, 0.50 and 0.528.
CORRELATION = 0.53
# Slices 1 and 1.25 mm apart correlate by 0.93, slabs that overlap by half by 0.95; lossy encodings
# that keep shape and bits (JPEG-LS, JPEG 2000, JPEG of 12 bits) by 0.976 or more.
NEIGHBORS = 0.97
# Share of an image. Less is left of slices without brain in a brain window, and chance grows: where
# it is 0.006 to 0.02, slices of two studies correlate by up to 0.80.
LEAST_AREA = 0.02
# Of small areas a table may be the most, and neighbors above a head show one table: no judgment.
SMALL_AREA = 0.06
# Gray levels of a copy are a mapping of its original's: 0.88 of their variance is explained at
# least. Of a head, and a slice above another head on a table of the same make, 0.28 to 0.78.
EXPLAINED = 0.83
# At the small size the worst of a hundred copies has 0.54; of 472 head and chest slices 370 pairs
# pass.
COARSE_CORRELATION, COARSE_NEIGHBORS = 0.35, 0.9
_COARSE_ENERGY = 0.005 * COARSE * COARSE  # squared deviations, about 1 a pixel
_TILE = 2  # pixels a side: energies and masks are enough in tiles; in those of 4 they lost 2 of 640
_BLOCK, _ROWS = 1024, 128  # images of a block, and rows of its products at once: 0.5 MB a flip


def similar_pairs(images: ComparedImages, across: bool) -> list[SimilarPair]:
    """Find pairs of one structure and unequal pixels, of equal images the first pair alone.

    across: only of an image of source 0 and one of source 1.
    """
    best: dict[tuple[int, int], SimilarPair] = {}
    for first, second, number in _candidates(images, across):
        pair = _confirm(images, first, second, number)
        if pair is None:
            continue
        known = best.get((first, second))
        if known is None or abs(pair.correlation) > abs(known.correlation):
            best[first, second] = pair
    return _once(images, _without_neighbors(images, list(best.values())))


def _candidates(images: ComparedImages, across: bool) -> Iterator[tuple[int, int, int]]:
    """Yield (first, second, turn) whose coarse residuals correlate, first < second."""
    numbers = np.arange(len(images.study))
    one = numbers[images.source == 0] if across else numbers
    other = numbers[images.source == 1] if across else numbers
    for at in range(0, len(one), _BLOCK):
        rows = one[at : at + _BLOCK]
        upright = _Block(images.coarse[images.place[rows]])
        for begin in range(0 if across else at, len(other), _BLOCK):
            columns = other[begin : begin + _BLOCK]
            coarse = images.coarse[images.place[columns]]
            for turned, block in ((0, coarse), (TRANSPOSED, coarse.transpose(0, 2, 1))):
                for flip, row, column, likeness in _hits(upright, _Block(block)):
                    pairs = rows[row], columns[column]
                    keep = _select_candidates(images, *pairs, turned + flip, likeness)
                    for first, second in zip(*(side[keep].tolist() for side in pairs), strict=True):
                        yield first, second, turned + flip


class _Block:
    """Parts, even and odd, of what the coarse products of a block of images need."""

    def __init__(self, coarse: Int8Array) -> None:
        residuals, known = split_mask(coarse)
        self.residuals = even_and_odd(residuals)
        self.energies = even_and_odd(_tile_sums(residuals * residuals))
        self.known = even_and_odd(_tile_sums(known.astype(np.float32)) / np.float32(_TILE**2))


def _tile_sums(pictures: Float32Array) -> Float32Array:
    """Sum tiles of 2 x 2 pixels: (N, S, S) -> (N, S / 2, S / 2); slices add faster than axes."""
    rows = pictures[:, ::_TILE] + pictures[:, 1::_TILE]
    sums: Float32Array = rows[:, :, ::_TILE] + rows[:, :, 1::_TILE]
    return sums


def _hits(one: _Block, other: _Block) -> Iterator[tuple[int, Int64Array, Int64Array, FloatArray]]:
    """Yield (flip, rows, columns, correlations) of what correlates in two blocks."""
    for at in range(0, one.known.shape[1], _ROWS):
        rows = slice(at, at + _ROWS)
        products = flipped_products(one.residuals[:, rows], other.residuals)
        first = flipped_products(one.energies[:, rows], other.known)  # what the other shows
        second = flipped_products(one.known[:, rows], other.energies)
        for number in range(len(products)):
            energy = first[number] * second[number]
            found = products[number] ** 2 >= COARSE_CORRELATION**2 * energy
            found &= energy >= _COARSE_ENERGY**2
            row, column = np.nonzero(found)
            likeness = products[number][row, column] / np.sqrt(energy[row, column])
            yield number, row + at, column, likeness


def _select_candidates(
    images: ComparedImages, first: Int64Array, second: Int64Array, turned: int, likeness: FloatArray
) -> BoolArray:
    """Select of pairs (K,) those to compare at the larger size, (K,) bool: each once, no two frames
    of a file, no neighbors but the likest."""
    same_source = images.source[first] == images.source[second]
    keep: BoolArray = ~same_source | (
        (first < second) & (images.instance[first] != images.instance[second])
    )
    near = _may_be_neighbors(images, first, second, turned, likeness)
    return keep & (~near | (likeness >= COARSE_NEIGHBORS))


def _confirm(images: ComparedImages, first: int, second: int, turned: int) -> SimilarPair | None:
    """Compare two images at the larger size, the second turned."""
    one, other = (images.fine[images.place[image]] for image in (first, second))
    likeness, area = correlate(one, turn(other, turned))
    pair = np.array([first]), np.array([second])
    near = bool(_may_be_neighbors(images, *pair, turned, np.array([likeness]))[0])
    if area < LEAST_AREA or abs(likeness) < (NEIGHBORS if near else CORRELATION):
        return None
    if near and area < SMALL_AREA:
        return None
    gray, other_gray = (images.gray[images.place[image]] for image in (first, second))
    if explained_gray(gray, turn(other_gray, turned)) < EXPLAINED:
        return None
    return SimilarPair(first, second, turned, likeness)


def _may_be_neighbors(
    images: ComparedImages, first: Int64Array, second: Int64Array, turned: int, likeness: FloatArray
) -> BoolArray:
    """Say of which pairs (K,) both lie alike in one study and form, as neighboring slices do."""
    near: BoolArray = (
        (images.study[first] == images.study[second])
        & (images.form[first] == images.form[second])
        & (images.instance[first] != images.instance[second])
        & (likeness > 0)
    )
    return near & (turned == 0)


def _without_neighbors(images: ComparedImages, pairs: list[SimilarPair]) -> list[SimilarPair]:
    """Drop pairs of an image and a neighbor of its original, or of copies of two neighbors.

    Where two images are most like two different images of one study, no copies of each other, they
    show different slices of it. What is dropped counts as no copy from then on.
    """
    likest: dict[int, dict[int, tuple[float, int]]] = defaultdict(dict)  # image -> study -> image
    for pair in pairs:
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            study = int(images.study[other])
            found = (abs(pair.correlation), other)
            likest[one][study] = max(likest[one].get(study, found), found)
    before, kept = -1, sorted(pairs, key=lambda pair: (pair.first, pair.second))
    while len(kept) != before:
        before = len(kept)
        linked = {(pair.first, pair.second) for pair in kept}
        linked |= {(second, first) for first, second in linked}

        def differ(first: int, second: int, linked: set[tuple[int, int]] = linked) -> bool:
            for study, (_, one) in likest[first].items():
                at_home = study == images.study[second]
                other = second if at_home else likest[second].get(study, (0.0, one))[1]
                if one != other and (one, other) not in linked:
                    return True
            return False

        kept = [
            pair
            for pair in kept
            if not differ(pair.first, pair.second) and not differ(pair.second, pair.first)
        ]
    return kept


def _once(images: ComparedImages, pairs: list[SimilarPair]) -> list[SimilarPair]:
    """Keep the first of pairs that show the same two pictures, and none that shows one twice."""
    found: dict[frozenset[int], SimilarPair] = {}
    for pair in pairs:
        pictures = frozenset(images.pixels[[pair.first, pair.second]].tolist())
        if len(pictures) > 1:
            found.setdefault(pictures, pair)
    return list(found.values())
