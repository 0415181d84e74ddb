"""training/bounds.py: what is inside of that which a run learned: ranges of headers, a reference of
features and limits, kept in the run's folder beside its models."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from wetread.archive.files.atomic import write_whole
from wetread.archive.files.damaged import expect_form
from wetread.archive.files.json_file import read_json
from wetread.archive.types import Float32Array, Int64Array, JsonObject
from wetread.evaluation.feature_distance import FeatureReference, upper_limit
from wetread.store.store import Store
from wetread.study.traits import NUMBERS, WORDS, Trait, Traits
from wetread.training.networks import PooledNetwork
from wetread.training.study_features import (
    References,
    fit_references,
    pooled_features,
    sample_studies,
    study_scores,
)

if TYPE_CHECKING:  # its file knows torch
    from wetread.training.run import Run

FILE, REFERENCE = "in_distribution.json", "in_distribution.npz"
WANTED = "what is inside of that which a run learned, which wetread train writes; train again"
SHARE = 0.005  # of studies like those held out, passing one limit; there are three
FEWEST = 12  # studies held out; of fewer no limit is made
MOST_FITTED, MOST_HELD_OUT = 1800, 1200  # slices
SCORES: Mapping[str, str] = {
    "pictures": "distance of its pictures from those learned from",
    "course": "distance of its course along the body from those learned from",
    "order": "steps between its slices, as a share of the difference of any two",
}


@dataclass(frozen=True)
class Reason:
    """Why a study is outside: a name of NUMBERS, WORDS or SCORES, and the figures in words."""

    name: str
    detail: str


@dataclass(frozen=True)
class Limit:
    """The limit of a score, and the median and highest of `studies` held-out studies."""

    limit: float
    studies: int
    median: float
    highest: float


@dataclass(frozen=True, eq=False)
class Bounds:
    """Limits between studies that are like what a run learned from and all others.

    checkpoint: of the network whose features are compared, from the run's folder on.
    studies:    whose traits are the ranges and words.
    ranges:     trait to (least, greatest); words: trait to its known words.
    limits:     by the names of SCORES.
    """

    checkpoint: str
    studies: int
    ranges: Mapping[str, tuple[float, float]]
    words: Mapping[str, tuple[str, ...]]
    limits: Mapping[str, Limit]
    references: References

    def outside(self, traits: Traits, scores: Mapping[str, float]) -> tuple[Reason, ...]:
        """List why a study of such traits and scores is outside; empty where it is inside."""
        return (
            *(_odd_word(name, self.words[name], value)
              for name, value in traits.words.items()
              if name in self.words and value not in self.words[name]),
            *(_odd_number(NUMBERS[name], name, self.ranges[name], value)
              for name, value in traits.numbers.items()
              if name in self.ranges and not _is_within(value, self.ranges[name], NUMBERS[name])),
            *(_far(name, self.limits[name], value)
              for name, value in scores.items()
              if name in self.limits and not value <= self.limits[name].limit),
        )  # fmt: skip

    def to_dict(self) -> JsonObject:
        """Return all but the references as plain values."""
        return {
            "checkpoint": self.checkpoint,
            "studies": self.studies,
            "ranges": {name: list(ends) for name, ends in self.ranges.items()},
            "words": {name: list(known) for name, known in self.words.items()},
            "limits": {name: vars(one) for name, one in self.limits.items()},
        }

    def to_arrays(self) -> dict[str, Float32Array]:
        """Return the arrays of the references, by name."""
        parts = {"slices": self.references.slices, "courses": self.references.courses}
        return {
            f"{part}_{name}": values
            for part, reference in parts.items()
            if reference is not None
            for name, values in vars(reference).items()
        }


def fit_bounds(
    trained: PooledNetwork,
    checkpoint: str,
    store: Store,
    held_out: Int64Array,
    traits: Sequence[Traits],
) -> Bounds | None:
    """Fit the bounds of a run by one of its networks; None where too few studies were held out.

    held_out: rows (n,) of the store of patients whom the network never saw; the others are the
    reference. traits: of all studies of the run.
    """
    slices = store.slices.with_row_index("row")
    unseen = np.isin(np.arange(len(store)), held_out)
    scored = _some_studies(sample_studies(slices.filter(unseen)), MOST_HELD_OUT)
    fitted = _some_studies(sample_studies(slices.filter(~unseen)), MOST_FITTED)
    if len(scored) < FEWEST or len(fitted) < FEWEST:
        return None
    references = fit_references(pooled_features(trained, store, _join(fitted)), fitted, FEWEST)
    features = pooled_features(trained, store, _join(scored))
    scores = study_scores(features, scored, references).values()
    limits = {}
    for name in SCORES:
        values = np.array([one[name] for one in scores if name in one])
        if len(values) >= FEWEST:
            limits[name] = Limit(
                upper_limit(values, SHARE),
                len(values),
                float(np.median(values)),
                float(values.max()),
            )
    return Bounds(checkpoint, len(traits), *_ranges(traits), limits, references)


def write_bounds(run: Run, bounds: Bounds | None) -> None:
    """Write the bounds into a run's folder; None removes what is there of earlier ones."""
    if bounds is None:
        run.remove(FILE)
        run.remove(REFERENCE)
        return
    packed = io.BytesIO()
    np.savez(packed, **bounds.to_arrays())  # type: ignore[arg-type]  # none is called allow_pickle
    write_whole(run.folder / REFERENCE, packed.getbuffer())
    run.write_json(FILE, bounds.to_dict())


def read_bounds(folder: Path) -> Bounds | None:
    """Read the bounds of a run; None where it has none, as runs of before. DamagedFileError."""
    file, reference = folder / FILE, folder / REFERENCE
    if not file.is_file():
        return None
    about = read_json(file, WANTED, {"checkpoint": str, "studies": int, "limits": dict})
    with (
        expect_form(reference, WANTED, EOFError, BadZipFile),
        np.load(io.BytesIO(reference.read_bytes()), allow_pickle=False) as arrays,
    ):
        references = _references({name: arrays[name] for name in arrays.files})
    with expect_form(file, WANTED):
        return _bounds(about, references)


def bounds_of(values: JsonObject, arrays: Mapping[str, Float32Array]) -> Bounds:
    """Make the bounds of what to_dict and to_arrays gave. ValueError or KeyError where they are of
    another form."""
    return _bounds(values, _references(arrays))


def _bounds(values: JsonObject, references: References) -> Bounds:
    ranges = {name: (float(a), float(b)) for name, (a, b) in values["ranges"].items()}
    words = {name: tuple(map(str, known)) for name, known in values["words"].items()}
    limits = {name: Limit(**one) for name, one in values["limits"].items()}
    unknown = {*ranges} - {*NUMBERS} | {*words} - {*WORDS} | {*limits} - {*SCORES}
    if unknown:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    return Bounds(values["checkpoint"], values["studies"], ranges, words, limits, references)


def _references(arrays: Mapping[str, Float32Array]) -> References:
    known = {name: np.asarray(values, np.float32) for name, values in arrays.items()}
    return References(
        _reference(known, "slices"),
        _reference(known, "courses") if "courses_mean" in known else None,
    )


def _reference(arrays: Mapping[str, Float32Array], part: str) -> FeatureReference:
    mean, scale, axes, weights, rest = (
        arrays[f"{part}_{field.name}"] for field in fields(FeatureReference)
    )
    if mean.shape != scale.shape or axes.shape != (len(mean), len(weights)) or rest.shape != (1,):
        raise ValueError(f"{part}: axes of {axes.shape} for {mean.shape} features")
    return FeatureReference(mean, scale, axes, weights, rest)


def _some_studies(sampled: Mapping[str, Int64Array], most: int) -> dict[str, Int64Array]:
    """Keep studies, evenly of all, of some `most` rows together."""
    total, items = sum(map(len, sampled.values())), list(sampled.items())
    kept = min(len(items), int(np.ceil(len(items) * most / max(1, total))))
    return dict(items[place] for place in np.arange(kept) * len(items) // max(1, kept))


def _join(sampled: Mapping[str, Int64Array]) -> Int64Array:
    return np.concatenate(list(sampled.values()))


def _ranges(
    traits: Sequence[Traits],
) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[str, ...]]]:
    numbers, words = {}, {}
    for name in NUMBERS:
        values = [one.numbers[name] for one in traits if name in one.numbers]
        if values:
            numbers[name] = (min(values), max(values))
    for name in WORDS:
        known = {one.words[name] for one in traits if name in one.words}
        if known:
            words[name] = tuple(sorted(known))
    return numbers, words


def _is_within(value: float, ends: tuple[float, float], trait: Trait) -> bool:
    low, high = ends[0] / trait.factor - trait.margin, ends[1] * trait.factor + trait.margin
    return low <= value <= high


def _odd_word(name: str, known: Sequence[str], value: str) -> Reason:
    return Reason(name, f"{WORDS[name]} {value}; learned from {', '.join(known)}")


def _odd_number(trait: Trait, name: str, ends: tuple[float, float], value: float) -> Reason:
    unit = f" {trait.unit}" if trait.unit else ""
    low, high = (f"{end:.3g}" for end in ends)
    learned = low if low == high else f"{low} to {high}"
    return Reason(name, f"{trait.words} {value:.3g}{unit}; learned from {learned}{unit}")


def _far(name: str, limit: Limit, value: float) -> Reason:
    return Reason(
        name,
        f"{SCORES[name]} {value:.3g}, limit {limit.limit:.3g} (of {limit.studies} studies held "
        f"out the median has {limit.median:.3g}, the highest {limit.highest:.3g})",
    )
