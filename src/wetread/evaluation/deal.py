"""evaluation/deal.py: patients are dealt to parts, whole and with their findings spread evenly."""

from collections.abc import Sequence

import numpy as np

from wetread.archive.types import BoolArray, Float64Array, FloatArray, Int64Array


def fold_of_rows(patients: Sequence[str], truth: FloatArray, folds: int, seed: int) -> Int64Array:
    """Deal the patients (N,) of rows to folds of equal share: (N,) the fold of each row, 0 to
    folds - 1; truth (N, F), NaN unknown. ValueError for fewer patients than folds."""
    names, of_row = np.unique(np.asarray(patients, str), return_inverse=True)
    if not 2 <= folds <= len(names):
        raise ValueError(
            f"{len(names)} patients cannot fill {folds} folds; 2 at least are asked for"
        )
    has = np.zeros((len(names), truth.shape[1]), bool)
    np.logical_or.at(has, of_row, np.asarray(truth) > 0.5)  # NaN is not above
    rows = np.bincount(of_row, minlength=len(names))
    fold: Int64Array = deal(has, rows, np.full(folds, 1 / folds), np.random.default_rng(seed))
    return fold[of_row]


def deal(
    has: BoolArray,
    slices: Int64Array,
    share: Float64Array,
    rng: np.random.Generator,
) -> Int64Array:
    """Deal patients to parts (P,) by their findings (P, F) and slices (P,): rarest finding first.

    Each patient goes where its finding is most wanting, then where slices are (Sechidis and
    others, On the stratification of multi-label data, 2011, with patients as the units).
    """
    wanted = np.outer(share, has.sum(0)).astype(float)  # (parts, F)
    room = share * slices.sum()
    part = np.full(len(has), -1)
    luck = rng.random(len(has))

    def give(patient: int, wish: Float64Array) -> None:
        """Give a patient to the part of the greatest wish (parts,)."""
        best = np.lexsort((rng.random(len(share)), -room, -np.round(wish, 9)))[0]
        part[patient] = best
        wanted[best] -= has[patient]
        room[best] -= slices[patient]

    while True:
        left = has[part < 0].sum(0)
        if not left.any():
            break
        rarest = int(np.argmin(np.where(left > 0, left, np.iinfo(np.int64).max)))
        waiting = np.flatnonzero((part < 0) & has[:, rarest])
        for patient in waiting[np.lexsort((luck[waiting], -slices[waiting]))]:
            give(int(patient), wanted[:, rarest])
    waiting = np.flatnonzero(part < 0)
    for patient in waiting[np.lexsort((luck[waiting], -slices[waiting]))]:
        give(int(patient), room)
    return fill_empty(part, has, len(share))


def fill_empty(part: Int64Array, has: BoolArray, parts: int) -> Int64Array:
    """Give each part without a patient the one with fewest findings of the fullest part; part (P,),
    has (P, F)."""
    for empty in sorted(set(range(parts)) - set(part.tolist())):
        fullest = np.bincount(part, minlength=parts).argmax()
        members = np.flatnonzero(part == fullest)
        part[members[np.argmin(has[members].sum(1))]] = empty
    return part
