"""training/masks.py: what is known of each image's masks, at the size that is learned from.

Three kinds of knowledge, never confused: a mask, no mask because nothing is there (the image's
label says so, or the label file), and unknown: positive, but nobody drew where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import blosc2
import numpy as np
import polars as pl
from numpy.typing import NDArray

from wetread.labels.finding import Finding, finding_names
from wetread.labels.rle import decode_union
from wetread.labels.table import LabelTable
from wetread.study.boxes import PixelBox
from wetread.study.crop import crop_and_resize

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AnnotatedMask:
    """One mask as its label file has it: texts of labels/rle.py, and the picture's shape."""

    texts: tuple[str, ...]
    form: str
    shape: tuple[int, int]

    def mask(self) -> NDArray[np.bool_]:
        """(rows, columns) of the picture."""
        return decode_union(self.texts, self.shape, self.form)


@dataclass(frozen=True, eq=False)
class AnnotatedMasks:
    """The masks of N images for M findings.

    drawn:  N x M, None where unknown; no texts: nothing is there.
    shapes: N, rows and columns of the pictures.
    boxes:  (N, 4) the crop of each picture.
    """

    findings: tuple[Finding, ...]
    drawn: tuple[tuple[AnnotatedMask | None, ...], ...]
    shapes: tuple[tuple[int, int], ...]
    boxes: NDArray[np.int64]

    def of(self, places: NDArray[np.int64]) -> AnnotatedMasks:
        """Those of some images."""
        drawn, shapes = (tuple(all_of[i] for i in places) for all_of in (self.drawn, self.shapes))
        return AnnotatedMasks(self.findings, drawn, shapes, self.boxes[places])

    @property
    def known(self) -> NDArray[np.bool_]:
        """(N, M)."""
        shape = (len(self.drawn), len(self.findings))
        return np.array([[m is not None for m in row] for row in self.drawn], bool).reshape(shape)


@dataclass(frozen=True, eq=False)
class MaskTargets:
    """The same at one size, compressed in memory: bytes, empty where nothing is there.

    findings: M names.
    known:    (N, M).
    """

    findings: tuple[str, ...]
    size: int
    blobs: tuple[tuple[bytes, ...], ...]
    known: NDArray[np.bool_]

    def of(self, places: NDArray[np.int64]) -> MaskTargets:
        """Those of some images."""
        blobs = tuple(self.blobs[i] for i in places)
        return MaskTargets(self.findings, self.size, blobs, self.known[places])

    def at(self, places: NDArray[np.int64]) -> Floats:
        """(B, M, size, size) share of each pixel that is inside; nothing where unknown."""
        masks = np.zeros((len(places), self.known.shape[1], self.size, self.size), np.float32)
        for number, place in enumerate(places):
            for finding, blob in enumerate(self.blobs[place]):
                if blob:
                    shares = np.frombuffer(blosc2.decompress2(blob, nthreads=1), np.uint8)
                    masks[number, finding] = shares.reshape(self.size, self.size) / np.float32(255)
        return masks


def annotated_masks(
    slices: pl.DataFrame,
    truth: NDArray[np.floating],
    labels: LabelTable,
    findings: Sequence[Finding],
    image_findings: Sequence[Finding],
) -> AnnotatedMasks:
    """What is known of rows of a store: truth (N, F) of image_findings settles the negatives."""
    names = [finding.name for finding in image_findings]
    known = {
        (row["id"], row["finding"]): (tuple(row["runs"]), row["form"])
        for row in labels.masks.iter_rows(named=True)
    }
    drawn, shapes = [], []
    for number, row in enumerate(slices.iter_rows(named=True)):
        shape = row["source_rows"], row["source_columns"]
        each: list[AnnotatedMask | None] = []
        for finding in findings:
            negative = finding.name in names and truth[number, names.index(finding.name)] == 0
            texts, form = known.get((row["SOPInstanceUID"], finding.name), (None, "relative"))
            if texts is None and negative:
                texts = ()
            each.append(None if texts is None else AnnotatedMask(texts, form, shape))
        drawn.append(tuple(each))
        shapes.append(shape)
    boxes = np.array(slices["box"].to_list(), np.int64).reshape(-1, 4)
    return AnnotatedMasks(tuple(findings), tuple(drawn), tuple(shapes), boxes)


def mask_targets(masks: AnnotatedMasks, size: int) -> MaskTargets:
    """Cropped and area-averaged to the view's size, as the pictures are."""
    blobs = tuple(
        tuple(_small(one, box, size) for one in row)
        for row, box in zip(masks.drawn, masks.boxes, strict=True)
    )
    return MaskTargets(finding_names(masks.findings), size, blobs, masks.known)


def _small(one: AnnotatedMask | None, box: NDArray[np.int64], size: int) -> bytes:
    if one is None or not one.texts:
        return b""
    grey = crop_and_resize(
        one.mask().astype(np.float32), PixelBox(*map(int, box)), size, outside=0.0
    )
    shares = np.rint(grey * 255).astype(np.uint8, order="C")
    blob: bytes = blosc2.compress2(shares, codec=blosc2.Codec.LZ4, typesize=1, nthreads=1)
    return blob
