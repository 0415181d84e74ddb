"""tests/training/series/test_fit.py: encoders give features of series they were not trained on."""

from pathlib import Path
from typing import Any

import pytest
from tests.training.blob_series import fit, quick, series_data

from wetread.training.data import LabeledSlices, Split
from wetread.training.series import extract, parts
from wetread.training.series import fit as series_fit
from wetread.training.series.embed_series import embed_series
from wetread.training.series.inputs import SequenceInputs
from wetread.training.series.series import Series
from wetread.training.slices.fit import fit_encoder


def test_features_are_computed_once_for_the_same_slices_and_encoder(
    store: Any, series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(tmp_path, series_data(store, series), quick())
    monkeypatch.setattr(extract, "predict_batches", None)  # would be called, were anything lacking
    fit(tmp_path, series_data(store, series), quick())


@pytest.mark.parametrize("kind", ["last", "logits"])
def test_no_encoder_saw_the_patients_whose_features_it_gives(
    store: Any, series: Series, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    fitted: dict[int, set[str]] = {}
    embedded: list[tuple[int, set[str]]] = []

    def watched_encoder(data: LabeledSlices, split: Split, *rest: Any, **more: Any) -> Any:
        everyone = data.column("patient")
        encoder = fit_encoder(data, split, *rest, **more)
        fitted[id(encoder)] = {everyone[place] for place in split.train}
        return encoder

    def watched_series(chosen: Series, encoders: Any, *rest: Any) -> SequenceInputs:
        embedded.extend((id(encoder), set(chosen.patients)) for encoder in encoders)
        return embed_series(chosen, encoders, *rest)

    monkeypatch.setattr(series_fit, "fit_encoder", watched_encoder)
    monkeypatch.setattr(parts, "embed_series", watched_series)
    fit(tmp_path, series_data(store, series), quick(f"series.features={kind}"))
    one, other = fitted.values()
    assert not one & other  # two parts: each learned from the other
    assert {encoder for encoder, _ in embedded} == set(fitted)
    for encoder, patients in embedded:
        assert not fitted[encoder] & patients
