"""tests/prediction/test_series.py: which series judges a study; answers made to agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl

from wetread.evaluation.volume_decision import VolumeThresholds
from wetread.labels.finding import Finding
from wetread.prediction.members import Ensemble
from wetread.prediction.scaling import Scalings
from wetread.prediction.series import SeriesReader
from wetread.store.store import Store
from wetread.study.series_choice import SeriesScore
from wetread.training.drawings import Drawings
from wetread.training.series.series import Series
from wetread.training.series.spec import SeriesSpec

MakeStore = Callable[..., Store]
IMAGE, STUDY = (Finding("clot"),), (Finding("left", level="study"), Finding("right", level="study"))


def halve(
    image: np.ndarray, study: np.ndarray, starts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A rule of its own: everything is half as probable."""
    assert starts[-1] == len(image)
    assert len(starts) == len(study) + 1
    return image / 2, study / 2


def name_largest(image: np.ndarray, study: np.ndarray, starts: np.ndarray) -> list[tuple[str, ...]]:
    return [(f"left {row[0]:.1f}",) for row in study]


SPEC = SeriesSpec(
    IMAGE, STUDY, (), lambda values: (), loss=cast(Any, None), make_consistent=halve,
    broken_rules=name_largest,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Numbered(SeriesReader):
    """Series e of any store is answered with (e + 1) / 10, its slices with it too."""

    def _predict(
        self, series: Series, stores: Sequence[Store], progress: object
    ) -> tuple[np.ndarray, np.ndarray]:
        value = (np.arange(len(series)) + 1) / 10
        image = np.repeat(value, np.diff(series.starts))[:, None]
        return image, np.column_stack([value, 1 - value])


READER = Numbered(
    cast(Ensemble, SimpleNamespace(series_models=(), scalings=Scalings(), drawings=())),
    SPEC,
    Path(),
)


def of_one_study(store: Store) -> Store:
    return replace(store, slices=store.slices.with_columns(StudyInstanceUID=pl.lit("s")))


def read(store: Store, ranked: dict[str, list[SeriesScore]]) -> Any:
    return READER.read([store], ranked=ranked, progress=lambda done, total: None)


def test_a_study_is_judged_by_its_longest_series_where_none_is_ranked(store: MakeStore) -> None:
    answers = read(of_one_study(store(("a", 2), ("b", 4), ("c", 3))), {})
    assert answers.study["s"].tolist() == [0.1, 0.4]  # half of (0.2, 0.8), of the second series
    assert answers.broken == {"s": ("left 0.2",)}
    np.testing.assert_allclose(answers.image[:, 0], np.repeat([0.05, 0.1, 0.15], [2, 4, 3]))


def test_a_study_is_judged_by_the_best_ranked_series_that_was_read(store: MakeStore) -> None:
    ranked = {"s": [SeriesScore(f"{name}-series", 1, 0.0, ()) for name in ("unread", "c", "b")]}
    answers = read(of_one_study(store(("a", 2), ("b", 4), ("c", 3))), ranked)
    np.testing.assert_allclose(answers.study["s"], [0.15, 0.35])


def test_every_study_has_an_answer_in_the_stores_order(store: MakeStore) -> None:
    answers = read(store(("a", 2), ("b", 4)), {})
    assert list(answers.study) == ["a", "b"]
    np.testing.assert_allclose(answers.study["b"], [0.1, 0.4])


def test_a_store_without_slices_has_no_answers(store: MakeStore) -> None:
    reader = SeriesReader(READER.ensemble, replace(SPEC, broken_rules=lambda *_: []), Path())
    answers = reader.read([store()], ranked={}, progress=lambda done, total: None)
    assert (answers.image.shape, dict(answers.study)) == ((0, 1), {})
    assert reader.averaging == {"flip_averaged": True}


def test_a_reading_says_how_masks_were_decided_or_why_there_are_none() -> None:
    model = SimpleNamespace(
        recipe=SimpleNamespace(series=SimpleNamespace(mirror=True)),
        encoders=(SimpleNamespace(mask_findings=("clot",)),),
    )
    of_run = SimpleNamespace(series_models=(model,), scalings=Scalings(), drawings=())
    undecided = SeriesReader(cast(Ensemble, of_run), SPEC, Path()).averaging
    assert "drawings.json" in undecided["masks"]
    of_run.drawings = (Drawings({"clot": VolumeThresholds(0.3, 0.8)}),)
    decided = SeriesReader(cast(Ensemble, of_run), SPEC, Path()).averaging
    assert decided["masks"].startswith("decided by thresholds")
