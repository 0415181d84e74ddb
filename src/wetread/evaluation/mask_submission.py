"""evaluation/mask_submission.py: the masks of a submission file against those of a truth file."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from wetread.archive.plural import plural
from wetread.archive.types import BoolArray
from wetread.evaluation.dice import dice
from wetread.evaluation.intervals import DRAWS
from wetread.evaluation.mask_scores import mask_scores
from wetread.evaluation.score import Scores
from wetread.evaluation.submission import SubmissionScores, mark_incomplete, patients_of
from wetread.labels.finding import Finding, finding_names
from wetread.labels.mask_text import decode_masks
from wetread.labels.rle import RleError
from wetread.labels.table import LabelError, LabelTable

SHAPE = (1024, 1024)  # rows, columns of the competition's images


def score_mask_submission(
    truth: LabelTable,
    submission: LabelTable,
    findings: Sequence[Finding],
    split: str,
    rng: np.random.Generator,
    patients: Mapping[str, str] | None = None,
    shapes: Mapping[str, tuple[int, int]] | None = None,
) -> SubmissionScores:
    """Score the masks of the one finding: Dice and the rest, over images whose true mask is known.

    A label of 0 is a known mask without a pixel; a label of 1 without a mask is not scored. An
    image that the submission lacks leaves all without a score: leaving out the hard ones would
    flatter. What is too many is listed and passed over.

    patients: patient of each image, for the intervals; None: no intervals, and patients count 0.
    shapes:   rows and columns of the images that are not 1024 x 1024.
    Raises LabelError, naming the image, where a text is no mask of its image or an image has no
    patient.
    """
    (finding,) = set(finding_names(findings))
    true, given_masks = _known_masks(truth, finding), _known_masks(submission, finding)
    missing = tuple(image for image in true if image not in given_masks)
    shape_of = dict(shapes or {})
    scored, area = np.full(len(true), np.nan), np.full(len(true), np.nan)
    for row, image in enumerate(true):
        if image in given_masks:
            shape = shape_of.get(image, SHAPE)
            right = _mask(true[image], shape, "truth", image)
            given = _mask(given_masks[image], shape, "submission", image)
            area[row] = np.count_nonzero(right)
            overlap = np.count_nonzero(right & given)
            scored[row] = dice(overlap, np.count_nonzero(given), area[row])
    scores = mask_scores(
        scored,
        area,
        patients_of(list(true), patients),
        finding=finding,
        split=split,
        rng=rng,
        draws=DRAWS if patients else 0,
    )
    lost = f"{plural(len(missing), 'mask')} missing" if missing else None
    scores = [mark_incomplete(score, lost, patients is not None) for score in scores]
    listed = set(_rows(truth, finding)["id"])
    too_many = tuple(image for image in given_masks if image not in listed)
    return SubmissionScores(Scores(scores), missing, too_many)


MaskTexts = tuple[str, tuple[str, ...]]  # the form, and the texts whose union is the mask


def _known_masks(table: LabelTable, finding: str) -> dict[str, MaskTexts]:
    """Map each image to its mask's texts, in the table's order: no text where it is empty."""
    masks = {
        image: (form, tuple(runs))
        for image, form, runs in table.masks.filter(pl.col("finding") == finding)
        .select("id", "form", "runs")
        .iter_rows()
    }
    known: dict[str, MaskTexts] = {}
    for image, value in _rows(table, finding).select("id", "value").iter_rows():
        if image in masks:
            known[image] = masks[image]
        elif value == 0.0:
            known[image] = ("relative", ())
    return known | masks


def _rows(table: LabelTable, finding: str) -> pl.DataFrame:
    return table.frame.filter((pl.col("level") == "image") & (pl.col("finding") == finding))


def _mask(texts: MaskTexts, shape: tuple[int, int], file: str, image: str) -> BoolArray:
    form, runs = texts
    try:
        return decode_masks(runs, shape, form)
    except RleError as problem:
        raise LabelError(
            f"{file}: image {image!r}: {problem}. Its mask was read as {form!r} on "
            f"{shape[0]} x {shape[1]} pixels; correct the row, or give the image's shape."
        ) from problem
