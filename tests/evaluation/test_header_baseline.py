"""tests/evaluation/test_header_baseline.py: the header alone finds what it carries, out of fold."""

import numpy as np
import polars as pl
import pytest

from wetread.evaluation.header_baseline import (
    COLUMNS,
    carrying_columns,
    cross_validated_header,
    header_baseline,
    header_features,
)
from wetread.evaluation.metrics import roc_auc

ROWS = 240
PATIENTS = [f"p{row // 3}" for row in range(ROWS)]


@pytest.fixture
def images() -> pl.DataFrame:
    """240 images of 80 patients and 120 series, whose headers say nothing of one another."""
    rng = np.random.default_rng(0)
    maker = rng.choice(["Alpha", "Beta", "Gamma", ""], ROWS).tolist()
    return pl.DataFrame(
        {
            "SOPInstanceUID": [f"1.{row}" for row in range(ROWS)],
            "SeriesInstanceUID": [f"2.{row // 2}" for row in range(ROWS)],
            "InstanceNumber": list(range(ROWS)),
            "position_mm": [[0.0, 0.0, float(row)] for row in range(ROWS)],
            "Manufacturer": [one or None for one in maker],
            "ConvolutionKernel": rng.choice(["B30f", "H60s"], ROWS).tolist(),
            "KVP": rng.choice([100.0, 120.0], ROWS),
            "size": rng.integers(50_000, 90_000, ROWS),
            "lossy": rng.random(ROWS) < 0.5,
            "WindowCenter": [[float(one), 9.0] for one in rng.integers(30, 50, ROWS)],
        }
    )


def planted(images: pl.DataFrame) -> np.ndarray:
    """Truth (N, 2): first what the manufacturer tells, but for one in fifty; then a coin."""
    rng = np.random.default_rng(1)
    told = images["Manufacturer"].fill_null("").eq("Alpha").to_numpy() != (rng.random(ROWS) < 0.02)
    return np.column_stack([told, rng.random(ROWS) < 0.3]).astype(float)


def test_a_label_that_the_manufacturer_explains_is_found_and_the_column_named(
    images: pl.DataFrame,
) -> None:
    features, truth = header_features(images), planted(images)
    found = cross_validated_header(features, truth, PATIENTS, 5, seed=0)
    assert roc_auc(truth[:, 0], found[:, 0]) > 0.95
    assert abs(roc_auc(truth[:, 1], found[:, 1]) - 0.5) < 0.12
    first, second = carrying_columns(features, truth, PATIENTS, 5, seed=0)
    assert first[0].name == "Manufacturer"
    assert first[0].cost > 0.3
    assert len(first) <= 2
    assert all(one.cost < 0.1 for one in second)


def test_the_same_seed_gives_the_same_numbers(
    images: pl.DataFrame,
) -> None:
    features, truth = header_features(images), planted(images)
    once = cross_validated_header(features, truth, PATIENTS, 3, seed=4)
    again = cross_validated_header(features, truth, PATIENTS, 3, seed=4)
    np.testing.assert_array_equal(once, again)
    assert carrying_columns(features, truth, PATIENTS, 3, 4) == carrying_columns(
        features, truth, PATIENTS, 3, 4
    )


def test_of_its_own_patient_no_fold_has_learned(images: pl.DataFrame) -> None:
    """A kernel of its own for each patient would tell every label, were its patient learned."""
    named = images.with_columns(ConvolutionKernel=pl.Series(PATIENTS))
    rng = np.random.default_rng(2)
    of_patient = dict(zip(PATIENTS, rng.random(ROWS) < 0.4, strict=True))
    truth = np.array([[float(of_patient[one])] for one in PATIENTS])
    found = cross_validated_header(header_features(named), truth, PATIENTS, 4, seed=0)
    assert abs(roc_auc(truth[:, 0], found[:, 0]) - 0.5) < 0.2


def test_place_is_no_feature_and_slices_are_counted_by_series(images: pl.DataFrame) -> None:
    features = header_features(images)
    assert features.names == tuple(column.name for column in COLUMNS)
    assert not {"InstanceNumber", "position_mm"} & set(features.names)
    moved = images.with_columns(InstanceNumber=pl.lit(7), position_mm=pl.lit(None))
    assert features.table.equals(header_features(moved).table)
    assert set(features.table["slices_of_series"]) == {2.0}


def test_categories_are_encoded_by_training_and_absent_headers_are_nan() -> None:
    words = pl.DataFrame(
        {
            "SOPInstanceUID": list("abcd"),
            "SeriesInstanceUID": list("wxyz"),
            "Manufacturer": ["Beta", "Alpha", "Delta", None],
            "KVP": [None, 80.0, 100.0, 120.0],
            "WindowCenter": [[40.0, 600.0], None, [], [50.0]],
        }
    )
    features = header_features(words)
    coded = features.encode(features.of(np.array([0, 1])))
    column = {name: coded[:, k].tolist() for k, name in enumerate(features.names)}
    assert column["Manufacturer"][:3] == [1.0, 0.0, 2.0]  # Alpha, Beta; Delta was not learned
    assert np.isnan(column["Manufacturer"][3])
    assert np.isnan(column["KVP"][0])
    assert column["KVP"][1:] == [80.0, 100.0, 120.0]
    assert column["WindowCenter"][0] == 40.0
    assert np.isnan(column["WindowCenter"][1:3]).all()
    assert np.isnan(column["ViewPosition"]).all()  # a table may lack columns
    assert coded.dtype == np.float64


def test_a_category_never_learned_is_predicted_all_the_same(images: pl.DataFrame) -> None:
    truth, learned = planted(images), np.arange(200)
    features = header_features(
        images.with_columns(
            Manufacturer=pl.when(pl.int_range(pl.len()) < 200).then("Manufacturer").otherwise(
                pl.lit("Omega")
            )
        )
    )  # fmt: skip
    found = header_baseline(features.of(learned), truth[learned], features.of(np.arange(200, ROWS)))
    assert found.shape == (40, 2)
    assert ((found > 0) & (found < 1)).all()


def test_fewer_patients_than_folds_are_refused(images: pl.DataFrame) -> None:
    features = header_features(images.head(4))
    with pytest.raises(ValueError, match="2 patients cannot fill 3 folds"):
        cross_validated_header(features, np.eye(4), ["a", "a", "b", "b"], 3, 0)


def test_a_finding_of_one_class_has_no_column_that_carries_it(images: pl.DataFrame) -> None:
    assert carrying_columns(header_features(images), np.ones((ROWS, 1)), PATIENTS, 3, 0) == ((),)
