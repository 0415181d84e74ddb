"""tests/survey/test_doubts.py: wrong labels are among the doubtful, right ones are not."""

import numpy as np
import polars as pl

from wetread.survey.doubts import doubtful_labels


def predictions(truth: np.ndarray, probability: np.ndarray) -> pl.DataFrame:
    count = len(truth)
    names = [f"image-{n}" for n in range(count)]
    return pl.DataFrame(
        {"level": ["image"] * count, "id": names, "study": names, "finding": ["any"] * count,
         "truth": truth, "probability": probability}
    )  # fmt: skip


def test_labels_that_were_flipped_are_doubtful_and_no_others() -> None:
    """About half of them: a doubt must be surer than half of what is true."""
    rng = np.random.default_rng(0)
    real = rng.random(400) < 0.3
    said = np.clip(np.where(real, 0.85, 0.08) + rng.normal(scale=0.05, size=400), 0, 1)
    flipped = rng.choice(400, 12, replace=False)
    given = real.astype(float)
    given[flipped] = 1 - given[flipped]
    found = doubtful_labels(predictions(given, said))
    assert set(found["id"]) <= {f"image-{n}" for n in flipped}
    assert found.height >= 5
    assert found["sure"].is_sorted(descending=True)


def test_a_run_that_knows_nothing_of_a_finding_doubts_no_label() -> None:
    truth = np.array([0.0, 0.0, 1.0, 1.0])
    assert doubtful_labels(predictions(truth, np.array([0.9, 0.9, 0.1, 0.1]))).is_empty()
    assert doubtful_labels(predictions(truth, np.full(4, 0.5))).is_empty()
