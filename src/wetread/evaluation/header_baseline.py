"""evaluation/header_baseline.py: what can be known of an image from its header alone, no pixel and
no place in its series being seen; and which columns of the header carry it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from wetread.archive.types import BoolArray, Float64Array, FloatArray, Int64Array
from wetread.evaluation.baselines import FittedTrees, fit_trees
from wetread.evaluation.deal import fold_of_rows
from wetread.evaluation.metrics import roc_auc

MOST_CATEGORIES = 200  # of a column; rarer ones share the code of the unknown
CARRYING = 2
REPEATS = 5  # permutations of a column, whose mean cost is taken
_SERIES = pl.coalesce("SeriesInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True)
class HeaderColumn:
    """A column of the features: how it is made of an index's rows, and whether it is a category.

    needs: the columns of the index; one that lacks is missing in every row.
    """

    name: str
    value: pl.Expr
    needs: tuple[str, ...]
    category: bool = False


def _number(name: str) -> HeaderColumn:
    return HeaderColumn(name, pl.col(name).cast(pl.Float64), (name,))


def _category(name: str) -> HeaderColumn:
    return HeaderColumn(name, pl.col(name).cast(pl.String), (name,), category=True)


def _first(name: str) -> HeaderColumn:
    return HeaderColumn(name, pl.col(name).list.first().cast(pl.Float64), (name,))


# InstanceNumber and position are left out: they are the place in the series.
COLUMNS = (
    _category("Manufacturer"),
    _category("ManufacturerModelName"),
    _category("ConvolutionKernel"),
    _number("KVP"),
    _number("SliceThickness"),
    _number("row_spacing_mm"),
    _number("Rows"),
    _number("Columns"),
    _number("BitsStored"),
    _number("PixelRepresentation"),
    _number("RescaleIntercept"),
    _category("PhotometricInterpretation"),
    _category("TransferSyntaxUID"),
    _number("lossy"),
    _number("size"),
    _category("ViewPosition"),
    _category("PatientSex"),
    _number("age_years"),
    _first("WindowCenter"),
    _first("WindowWidth"),
    _number("PixelPaddingValue"),
    HeaderColumn(
        "slices_of_series", pl.len().over(_SERIES).cast(pl.Float64),
        ("SeriesInstanceUID", "SOPInstanceUID"),
    ),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class HeaderFeatures:
    """The features of N images: a table with the columns of COLUMNS, numbers and categories as
    text, null where a header does not say."""

    table: pl.DataFrame

    def __len__(self) -> int:
        return self.table.height

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in the order of what encode returns."""
        return tuple(self.table.columns)

    @property
    def categorical(self) -> BoolArray:
        """Which columns are categories, (D,)."""
        return np.array([kind == pl.String for kind in self.table.dtypes], bool)

    def of(self, rows: Int64Array) -> HeaderFeatures:
        """Select images by number (n,)."""
        return HeaderFeatures(self.table[rows])

    def encode(self, learned: HeaderFeatures) -> Float64Array:
        """Encode as (N, D) float64: numbers as they are, a category by its place among those of
        the learned images, after which comes the code of all others; NaN where nothing is said."""
        columns = [
            _codes(self.table[name], learned.table[name]) if category else self.table[name]
            for name, category in zip(self.names, self.categorical, strict=True)
        ]
        values = [column.cast(pl.Float64).fill_null(float("nan")).to_numpy() for column in columns]
        return np.column_stack(values).astype(np.float64).reshape(len(self), len(self.names))


def _codes(words: pl.Series, learned: pl.Series) -> pl.Series:
    """Number words (N,) by those of the learned rows, sorted; null stays."""
    counted = learned.drop_nulls().value_counts(sort=True, name="rows")
    known = counted.sort("rows", learned.name, descending=[True, False]).head(MOST_CATEGORIES)
    codes = {word: code for code, word in enumerate(sorted(known[learned.name].to_list()))}
    code = words.replace_strict(codes, default=len(codes), return_dtype=pl.Float64)
    return code.set(words.is_null(), None)


def header_features(images: pl.DataFrame) -> HeaderFeatures:
    """Make the features of all images of an archive: rows of an index, all slices of every series
    among them."""
    return HeaderFeatures(
        images.select(
            column.value.alias(column.name)
            if set(column.needs) <= set(images.columns)
            else pl.lit(None, pl.String if column.category else pl.Float64).alias(column.name)
            for column in COLUMNS
        )
    )


def header_baseline(
    train: HeaderFeatures,
    train_truth: FloatArray,
    test: HeaderFeatures,
    weights: FloatArray | None = None,
) -> Float64Array:
    """Predict (M, F) of test images from their headers alone, by truth (N, F) of train images.

    weights: (N,) of the train images; None: all alike.
    """
    return _fit(train, train_truth, weights).predict(test.encode(train))


def cross_validated_header(
    features: HeaderFeatures, truth: FloatArray, patients: Sequence[str], folds: int, seed: int
) -> Float64Array:
    """Predict (N, F) of every image from its header, by trees of the other folds' patients.

    truth: (N, F), NaN unknown. patients: N names, dealt to folds by the seed. ValueError for fewer
    patients than folds.
    """
    probability = np.full(truth.shape, np.nan)
    for fold in _folds(features, truth, patients, folds, seed):
        probability[fold.held_out] = fold.trees.predict(fold.encoded)
    return probability


@dataclass(frozen=True)
class CarryingColumn:
    """A column of the header, and how much ROC AUC is lost out of fold where its values change
    hands between patients."""

    name: str
    cost: float


def carrying_columns(
    features: HeaderFeatures, truth: FloatArray, patients: Sequence[str], folds: int, seed: int
) -> tuple[tuple[CarryingColumn, ...], ...]:
    """Find for each of F findings the two columns whose permutation costs most ROC AUC, the dearest
    first; fewer where no other costs anything, none where a finding has one class.

    Arguments are those of cross_validated_header, whose folds these are. In each fold the held-out
    patients exchange the values of one column, REPEATS times.
    """
    found, owners = _folds(features, truth, patients, folds, seed), np.asarray(patients, str)
    rng, whole = np.random.default_rng(seed), np.full(truth.shape, np.nan)
    for fold in found:
        whole[fold.held_out] = fold.trees.predict(fold.encoded)
    givers = [[_exchange(owners[one.held_out], rng) for one in found] for _ in range(REPEATS)]
    costs = np.zeros((len(features.names), truth.shape[1]))
    for column in range(len(costs)):
        if features.table[:, column].n_unique() > 1:
            costs[column] = np.mean([_cost(found, column, g, truth, whole) for g in givers], axis=0)
    return tuple(_dearest(features.names, own) for own in costs.T)


def _cost(
    folds: Sequence[_Fold],
    column: int,
    givers: Sequence[Int64Array],
    truth: FloatArray,
    whole: FloatArray,
) -> Float64Array:
    """Compute the ROC AUC (F,) lost where each held-out row has the column's value of its giver,
    by fold (n,); truth and whole (N, F), the probabilities without."""
    permuted = np.full(truth.shape, np.nan)
    for fold, giver in zip(folds, givers, strict=True):
        changed = fold.encoded.copy()
        changed[:, column] = fold.encoded[giver, column]
        permuted[fold.held_out] = fold.trees.predict(changed)
    return np.array(
        [
            roc_auc(one, before) - roc_auc(one, after)
            for one, before, after in zip(truth.T, whole.T, permuted.T, strict=True)
        ]
    )


def _dearest(names: Sequence[str], costs: Float64Array) -> tuple[CarryingColumn, ...]:
    """Take the columns that cost most, costs (D,), of those that cost anything; NaN costs none."""
    ranked = np.argsort(-np.nan_to_num(costs), kind="stable")[:CARRYING]
    return tuple(CarryingColumn(names[d], float(costs[d])) for d in ranked if costs[d] > 0)


def _exchange(patients: np.ndarray, rng: np.random.Generator) -> Int64Array:
    """Find for each row (n,) another patient's row, whose value it gets: patients change places,
    and a patient of more rows gets the giver's rows again."""
    _, of_row = np.unique(patients, return_inverse=True)
    rows = [np.flatnonzero(of_row == patient) for patient in range(of_row.max() + 1)]
    giver = np.empty(len(patients), np.int64)
    for own, other in zip(rows, rng.permutation(len(rows)), strict=True):
        giver[own] = np.resize(rows[other], len(own))
    return giver


@dataclass(frozen=True, eq=False)
class _Fold:
    """A fold: the rows (n,) held out, trees of the others, and the held-out features (n, D)."""

    held_out: Int64Array
    trees: FittedTrees
    encoded: Float64Array


def _folds(
    features: HeaderFeatures, truth: FloatArray, patients: Sequence[str], folds: int, seed: int
) -> list[_Fold]:
    fold_of = fold_of_rows(patients, truth, folds, seed)
    found = []
    for fold in range(folds):
        learned, held_out = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        train = features.of(learned)
        encoded = features.of(held_out).encode(train)
        found.append(_Fold(held_out, _fit(train, truth[learned], None), encoded))
    return found


def _fit(features: HeaderFeatures, truth: FloatArray, weights: FloatArray | None) -> FittedTrees:
    return fit_trees(
        features.encode(features), truth, categorical=features.categorical, weights=weights
    )
