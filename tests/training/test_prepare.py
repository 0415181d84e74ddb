"""tests/training/test_prepare.py: a spec of slices is trained by slice, one of series by series."""

from pathlib import Path
from typing import Any

import numpy as np
from tests.training.series import test_prepare as of_series
from tests.training.slices import test_prepare as of_slices

from wetread.training.prepare import fit_phantoms, prepare

store = of_series.store  # the fixture


def test_a_spec_of_slices_gets_a_row_for_every_labeled_slice(blobs: Any, tmp_path: Path) -> None:
    prepared = prepare(of_slices.SPEC, of_slices.inputs(tmp_path, blobs, range(24, 120)))
    np.testing.assert_array_equal(prepared.data.truth, blobs.truth[24:120])


def test_a_spec_of_series_gets_the_labels_of_its_study_at_every_slice(
    blobs: Any, store: Any, tmp_path: Path
) -> None:
    labels = of_series.labels_of(blobs, range(3, 7))
    prepared = prepare(of_series.SPEC, of_series.inputs(tmp_path, store, labels))
    assert prepared.data.truth.shape == (48, 3)
    left = blobs.truth[36:48, 1].max()
    assert (prepared.data.truth[:12, 1] == left).all()


def test_phantoms_give_a_file_for_every_network_of_the_spec(blobs: Any, tmp_path: Path) -> None:
    found = fit_phantoms(of_slices.SPEC, of_slices.inputs(tmp_path, blobs, range(240)), {})
    assert {name: path.is_file() for name, path in found.items()} == {"net": True}
