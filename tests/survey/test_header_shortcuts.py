"""tests/survey/test_header_shortcuts.py: a label that a header explains is found, chance is not."""

from collections.abc import Callable

import numpy as np
import polars as pl

from wetread.labels.table import LABEL_SCHEMA, LabelTable, label_table
from wetread.survey.header_shortcuts import NEEDED, shortcut_table, shortcuts

Index = Callable[..., pl.DataFrame]


def archive(index_rows: Index, count: int = 160) -> pl.DataFrame:
    """Images of two makers, ages and sizes by chance, two of every patient."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "Manufacturer": str(rng.choice(["A", "B"])), "age_years": float(rng.integers(20, 90)),
            "size": int(rng.integers(1000, 2000)), "KVP": 120.0,
        }
        for _ in range(count)
    ]  # fmt: skip
    names = ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]
    images = index_rows(*rows).select(list(dict.fromkeys([*NEEDED, *names])))
    return images.with_columns(patient=pl.Series([f"p{n // 2}" for n in range(count)]))


def labels(values: np.ndarray, level: str = "image") -> LabelTable:
    prefix = "image" if level == "image" else "study"
    rows = [(level, f"{prefix}-{n}", "any", float(value)) for n, value in enumerate(values)]
    return label_table(pl.DataFrame(rows, schema=LABEL_SCHEMA, orient="row"))


def test_a_label_explained_by_the_manufacturer_is_found_with_its_column(index_rows: Index) -> None:
    images = archive(index_rows)
    flip = np.random.default_rng(1).random(images.height) < 0.05
    truth = (images["Manufacturer"] == "B").to_numpy() ^ flip
    for level in ("image", "study"):
        (row,) = shortcuts(shortcut_table(labels(truth, level), images)).iter_rows(named=True)
        assert (row["level"], row["columns"][0]) == (level, "Manufacturer")
        assert row["roc_auc"] > 0.9
        assert row["low"] < row["roc_auc"] < row["high"]


def test_labels_by_chance_are_no_shortcut(index_rows: Index) -> None:
    images = archive(index_rows)
    for seed in range(3):
        truth = np.random.default_rng(seed).random(images.height) < 0.3
        table = shortcut_table(labels(truth), images, seed)
        assert table.height == 1
        assert shortcuts(table).is_empty()


def test_a_finding_of_few_patients_is_left_out(index_rows: Index) -> None:
    images = archive(index_rows)
    truth = np.zeros(images.height)
    truth[:12] = 1  # six patients
    assert shortcut_table(labels(truth), images).is_empty()
