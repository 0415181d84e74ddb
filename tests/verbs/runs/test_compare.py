"""tests/verbs/runs/test_compare.py: two runs in pairs, beside scikit-learn and a bootstrap."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from tests.verbs.runs.conftest import MakeRun

from wetread.evaluation.intervals import bootstrap
from wetread.training.predictions import FILE
from wetread.verbs.runs.compare import compare_runs


def headline(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / FILE).filter(pl.col("finding") == "any")


def test_a_difference_is_that_of_scikit_learn_on_the_rows_of_both_with_its_interval(
    made_run: MakeRun,
) -> None:
    first = made_run("first", patients=range(10), skill=0.4)
    second = made_run("second", patients=range(2, 14), skill=0.2, seed=1)
    (found,) = compare_runs(first, second)
    assert (found.patients, found.images) == (8, 32)
    assert (found.first_alone, found.second_alone) == (8, 16)
    both = headline(first).join(headline(second), on="id", suffix="_2", maintain_order="left")
    truth, one, two = (both[name].to_numpy() for name in ("truth", "probability", "probability_2"))
    difference = next(
        d for d in found.differences if (d.metric, d.finding) == ("roc_auc", "any")
    )  # fmt: skip
    assert difference.value == pytest.approx(roc_auc_score(truth, one) - roc_auc_score(truth, two))
    assert (difference.patients, difference.rows) == (8, 32)

    # All of the first's patients are drawn, as `evaluate` draws them; rows of one alone count not.
    rows = headline(first)
    place = {name: k for k, name in enumerate(both["id"])}
    of = np.array([place.get(name, -1) for name in rows["id"]])

    def score(drawn: np.ndarray) -> float:
        kept = of[drawn][of[drawn] >= 0]
        if len(set(truth[kept])) < 2:
            return np.nan
        return float(roc_auc_score(truth[kept], one[kept]) - roc_auc_score(truth[kept], two[kept]))

    interval = bootstrap(score, rows["patient"].to_list(), np.random.default_rng(0))
    assert [difference.low, difference.high] == pytest.approx(interval)
    official = found.differences[0]
    assert (official.metric, official.finding) == ("weighted_log_loss", "all")


def test_the_first_is_compared_with_each_other_and_the_order_turns_the_sign(
    made_run: MakeRun,
) -> None:
    a, b, c = (made_run(name, skill=s) for name, s in (("a", 0.5), ("b", 0.2), ("c", 0.3)))
    found = compare_runs(a, b, c)
    assert [Path(one.second).name for one in found] == ["b", "c"]
    (back,) = compare_runs(b, a)
    assert [d.value for d in back.differences] == [
        None if d.value is None else pytest.approx(-d.value) for d in found[0].differences
    ]


def test_labels_that_two_runs_have_otherwise_are_counted_and_left_out(made_run: MakeRun) -> None:
    first, second = made_run("first"), made_run("second", skill=0.2)
    table = pl.read_parquet(second / FILE)
    other = pl.when(pl.int_range(pl.len()) < 6).then(1 - pl.col("truth")).otherwise("truth")
    table.with_columns(truth=other).write_parquet(second / FILE)
    (found,) = compare_runs(first, second)
    assert found.truth_differs == 6
    assert found.differences[0].rows == 47


def test_runs_without_two_patients_in_common_of_other_tasks_or_unfinished_are_refused(
    made_run: MakeRun,
) -> None:
    first, apart = made_run("first", patients=range(6)), made_run("apart", patients=range(5, 11))
    with pytest.raises(ValueError, match=r"1 patient scored by both, at least 2"):
        compare_runs(first, apart)
    about = made_run("chest") / "about.json"
    about.write_text(about.read_text().replace('"hemorrhage"', '"pneumothorax"'))
    with pytest.raises(ValueError, match=r"predictions of a run|runs of one task"):
        compare_runs(first, about.parent)
    (apart / FILE).unlink()
    with pytest.raises(ValueError, match=f"no {FILE}"):
        compare_runs(first, apart)
    with pytest.raises(ValueError, match="two runs or more"):
        compare_runs(first)
