"""tests/survey/test_readers.py: agreement of readers, against scikit-learn and by hand."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import cohen_kappa_score

from wetread.labels.reads_csv import Reads, read_reads, reader_findings
from wetread.survey.readers import count_reads, disagreements, doubtful_readers, kappa_table


def reads(*calls: list[float], finding: str = "ich") -> Reads:
    count = len(calls[0])
    names = tuple(f"R{k}" for k in range(1, len(calls) + 1))
    return Reads(tuple(f"s{n}" for n in range(count)), names, {finding: np.array(calls)})


@pytest.mark.parametrize("seed", range(5))
def test_kappa_of_two_is_scikit_learn_s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = (rng.random(200) < 0.3).astype(float)
    second = np.where(rng.random(200) < 0.8, first, 1 - first)
    second[rng.random(200) < 0.1] = np.nan
    (row,) = kappa_table(reads(first.tolist(), second.tolist())).iter_rows(named=True)
    known = ~np.isnan(second)
    assert row["kappa"] == pytest.approx(cohen_kappa_score(first[known], second[known]), abs=1e-12)
    assert row["low"] < row["kappa"] < row["high"]
    assert row["studies"] == known.sum()


def test_fleiss_kappa_is_that_of_the_paper_by_hand() -> None:
    calls = np.array([[1, 1, 0, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 0, 1]], float)
    table = kappa_table(reads(*calls.tolist())).rows_by_key("readers", named=True, unique=True)
    share = calls.mean()
    agreed = np.mean([1, 1 / 3, 1 / 3, 1, 1])
    chance = share**2 + (1 - share) ** 2
    expected = (agreed - chance) / (1 - chance)
    assert table["all (Fleiss)"]["kappa"] == pytest.approx(expected, abs=1e-12)


def test_calls_are_counted_with_ties_apart() -> None:
    (row,) = count_reads(reads([1, 1, 0, 1], [1, 0, 0, np.nan])).iter_rows(named=True)
    assert (row["R1"], row["R2"], row["majority"], row["any"], row["all"]) == (3, 1, 2, 3, 2)
    assert row["tied"] == 1


def test_a_reader_who_calls_by_chance_is_named_and_the_others_are_not() -> None:
    rng = np.random.default_rng(0)
    true = (rng.random(300) < 0.4).astype(float)
    noisy = [np.where(rng.random(300) < 0.95, true, 1 - true).tolist() for _ in range(2)]
    chance = (rng.random(300) < 0.4).astype(float).tolist()
    found = doubtful_readers(kappa_table(reads(*noisy, chance)))
    assert found["readers"].to_list() == ["R3 and the others"]
    assert doubtful_readers(kappa_table(reads(*noisy, true.tolist()))).is_empty()


def test_studies_that_are_called_differently_are_listed() -> None:
    rows = disagreements(reads([1, 0, 1], [0, 0, np.nan]), "ich")
    assert rows.rows() == [("s0", 1.0, 0.0)]


def test_three_readers_of_491_real_heads_agree_as_published(real_data: Path) -> None:
    file = real_data / "head_readers" / "reads.csv"
    real = read_reads(file, reader_findings(file), {})
    counts = count_reads(real).rows_by_key("finding", named=True, unique=True)
    assert counts["ICH"]["majority"] == 205  # Chilamkurthy and others, Lancet 2018
    raw = pl.read_csv(file)
    table = kappa_table(real).filter(pl.col("finding") == "ICH")
    for a, b in (("R1", "R2"), ("R1", "R3"), ("R2", "R3")):
        kappa = table.filter(pl.col("readers") == f"{a} and {b}")["kappa"][0]
        expected = cohen_kappa_score(raw[f"{a}:ICH"].to_numpy(), raw[f"{b}:ICH"].to_numpy())
        assert kappa == pytest.approx(expected, abs=1e-12)
