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

from wetread.archive.types import BoolArray, Float32Array, FloatArray, Int64Array
from wetread.labels.finding import Finding, finding_names
from wetread.labels.mask_text import decode_masks
from wetread.labels.table import LabelTable
from wetread.study.boxes import PixelBox
from wetread.study.crop import crop_and_resize


@dataclass(frozen=True, eq=False)
class AnnotatedMask:
    """One mask as its label file has it: texts of labels/rle.py, and the picture's shape."""

    texts: tuple[str, ...]
    form: str
    shape: tuple[int, int]

    def mask(self) -> BoolArray:
        """Decode the mask, (rows, columns) bool of the picture."""
        return decode_masks(self.texts, self.shape, self.form)


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
    boxes: Int64Array

    def of(self, places: Int64Array) -> AnnotatedMasks:
        """Select images by place (n,)."""
        drawn, shapes = (tuple(all_of[i] for i in places) for all_of in (self.drawn, self.shapes))
        return AnnotatedMasks(self.findings, drawn, shapes, self.boxes[places])

    @property
    def known(self) -> BoolArray:
        """Whether each image's mask is known, (N, M)."""
        shape = (len(self.drawn), len(self.findings))
        return np.array([[m is not None for m in row] for row in self.drawn], bool).reshape(shape)


@dataclass(frozen=True, eq=False)
class MaskTargets:
    """Masks of N images at one size, compressed in memory: bytes, empty where nothing is inside.

    findings: M names.
    known:    (N, M).
    """

    findings: tuple[str, ...]
    size: int
    blobs: tuple[tuple[bytes, ...], ...]
    known: BoolArray

    def of(self, places: Int64Array) -> MaskTargets:
        """Select images by place (n,)."""
        blobs = tuple(self.blobs[i] for i in places)
        return MaskTargets(self.findings, self.size, blobs, self.known[places])

    def at(self, places: Int64Array) -> Float32Array:
        """Unpack the share of each pixel that is inside, (B, M, size, size) float32 of places (B,);
        0 where unknown."""
        masks = np.zeros((len(places), self.known.shape[1], self.size, self.size), np.float32)
        for number, place in enumerate(places):
            for finding, blob in enumerate(self.blobs[place]):
                if blob:
                    shares = np.frombuffer(blosc2.decompress2(blob, nthreads=1), np.uint8)
                    masks[number, finding] = shares.reshape(self.size, self.size) / np.float32(255)
        return masks


def annotated_masks(
    slices: pl.DataFrame,
    truth: FloatArray,
    labels: LabelTable,
    findings: Sequence[Finding],
    image_findings: Sequence[Finding],
) -> AnnotatedMasks:
    """Collect what is known of the masks of N slices (rows of a store); an image that is
    negative by its truth, (N, F) of image_findings, has an empty mask."""
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
    """Crop and average masks to the view's size, as the pictures are: N masks (size, size) of each
    finding."""
    blobs = tuple(
        tuple(_small(one, box, size) for one in row)
        for row, box in zip(masks.drawn, masks.boxes, strict=True)
    )
    return MaskTargets(finding_names(masks.findings), size, blobs, masks.known)


def _small(one: AnnotatedMask | None, box: Int64Array, size: int) -> bytes:
    if one is None or not one.texts:
        return b""
    gray = crop_and_resize(
        one.mask().astype(np.float32), PixelBox(*map(int, box)), size, outside=0.0
    )
    shares = np.rint(gray * 255).astype(np.uint8, order="C")
    blob: bytes = blosc2.compress2(shares, codec=blosc2.Codec.LZ4, typesize=1, nthreads=1)
    return blob
