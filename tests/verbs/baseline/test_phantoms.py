"""tests/verbs/baseline/test_phantoms.py: headers of phantoms do not give their findings away."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.index import read_index
from wetread.evaluation.header_baseline import HeaderFeatures, cross_validated_header
from wetread.evaluation.metrics import roc_auc
from wetread.verbs.baseline.baseline import BaselineResult
from wetread.verbs.baseline.slices import list_slices

EXCHANGES = 19  # with the truth itself 20: one in twenty is the least share that can be found


def exchanged(studies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give every study's images (N,) the headers of another study's."""
    names = np.unique(studies)
    giver = dict(zip(names, rng.permutation(names), strict=True))
    return np.concatenate(
        [np.resize(np.flatnonzero(studies == giver[one]), (studies == one).sum()) for one in names]
    )


@pytest.mark.parametrize(
    ("floor_of", "finding"),
    [
        ("heads_floor", "any"),
        ("films_floor", "pneumothorax"),
        ("exams_floor", "pe_present_on_image"),
    ],
)
def test_headers_tell_no_more_than_those_of_other_studies_would(
    floor_of: str, finding: str, request: pytest.FixtureRequest
) -> None:
    result: BaselineResult = request.getfixturevalue(floor_of)
    listed = list_slices(read_index(Path(result.out) / "index.parquet").images)
    rows = pl.read_parquet(result.out / "predictions.parquet").filter(
        pl.col("level") == "image", pl.col("finding") == finding
    )
    ids = listed.slices.select(id="SOPInstanceUID", study="StudyInstanceUID")
    known = ids.join(rows.select("id", "truth", "patient"), on="id", maintain_order="left")
    truth, studies = known["truth"].to_numpy()[:, None], known["study"].to_numpy()

    def auc(header: HeaderFeatures) -> float:
        found = cross_validated_header(header, truth, known["patient"].to_list(), 3, 0)
        return roc_auc(truth[:, 0], found[:, 0])

    order = np.argsort(studies, kind="stable")
    truth, studies = truth[order], studies[order]
    known, header = known[order], listed.header.of(order)
    rng = np.random.default_rng(0)
    by_chance = [auc(header.of(exchanged(studies, rng))) for _ in range(EXCHANGES)]
    assert auc(header) <= max(by_chance)
