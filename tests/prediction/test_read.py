"""tests/prediction/test_read.py: a store's rows become readings: means, order, key slices."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import polars as pl
import pytest

from wetread.archive.rejects import Reject
from wetread.prediction.drawing import read_store
from wetread.prediction.ensemble import read_ensemble
from wetread.prediction.read import KEY_SLICES, read_studies
from wetread.store.store import REJECT_SCHEMA, SLICE_SCHEMA, Address, Store
from wetread.study.issues import Issue
from wetread.study.series_choice import SeriesScore
from wetread.training.losses import undo_balance

WriteRun = Callable[..., Path]
FINDINGS = ("left", "right", "any")
ANY = FINDINGS.index("any")  # the finding whose slices speak


class NoisyStore(Store):
    """Slices of noise, 16 pixels a side, without files."""

    def read_hu(self, rows: object) -> np.ndarray:
        places = np.asarray(rows)
        rng = np.random.default_rng(5)
        return rng.normal(35, 30, (len(self), 16, 16)).astype(np.float32)[places]


def store(*series: tuple[str, int]) -> Store:
    """Studies with so many slices each, lowest first."""
    rows = [
        {
            "SOPInstanceUID": f"{study}.{z}",
            "SeriesInstanceUID": f"{study}-series",
            "StudyInstanceUID": study,
            "z": z,
            "n_slices": number,
            "position_mm": 5.0 * z,
        }
        for study, number in series
        for z in range(number)
    ]
    empty = np.empty(0)
    address = Address(empty, empty, empty, empty, [], empty, empty)
    slices = pl.DataFrame(rows, schema=SLICE_SCHEMA)
    return NoisyStore(Path(), slices, pl.DataFrame(schema=REJECT_SCHEMA), 16, (), address)


def test_members_are_averaged_as_probabilities_with_each_ones_balance_undone(
    write_run: WriteRun,
) -> None:
    """The oracle is the network itself, run here without batches, mirror or store."""
    import torch

    from wetread.view.device import to_view

    noise = store(("s", 6))
    ensemble = read_ensemble([write_run("a"), write_run("b")])
    done: list[int] = []
    said = read_store(noise, ensemble, [1, 0, 2], lambda at, total: done.append(at)).probability
    alone = []
    for member in ensemble.members:
        image = to_view(torch.from_numpy(noise.read_hu(range(6)))[:, None], member.trained.view)
        with torch.inference_mode():
            straight = member.trained.model(image)
            mirrored = member.trained.model(image.flip(-1))[:, [1, 0, 2]]
        logits = ((straight + mirrored) / 2).double().numpy()
        alone.append(undo_balance(1 / (1 + np.exp(-logits)), 0.5))
    assert np.abs(alone[0] - alone[1]).mean() > 1e-3
    mean = (alone[0] + alone[1]) / 2
    around = [np.average(mean[:2], axis=0, weights=[2, 1])]
    around += [np.average(mean[i - 1 : i + 2], axis=0, weights=[1, 2, 1]) for i in range(1, 5)]
    around += [np.average(mean[4:], axis=0, weights=[1, 2])]
    assert said == pytest.approx(np.array(around), abs=2e-3)  # bfloat16 where native
    assert done == [0, 1, 2]


def test_a_studys_slices_stand_in_order_with_their_own_numbers() -> None:
    rng = np.random.default_rng(2)
    said = rng.random((7, 3))
    first, second = read_studies(store(("s", 4), ("t", 3)), said, FINDINGS, ANY, {}, {}, {})
    assert [part.sop_instance_uid for part in first.slices] == ["s.0", "s.1", "s.2", "s.3"]
    assert [part.position_mm for part in second.slices] == [0.0, 5.0, 10.0]
    assert second.slices[1].probabilities == dict(zip(FINDINGS, said[5], strict=True))
    assert (first.series_uid, second.study_uid) == ("s-series", "t")


def test_a_study_is_the_maximum_of_its_slices() -> None:
    said = np.zeros((5, 3))
    said[2, 2] = 0.8  # any, in the middle
    said[0, 0] = 0.6  # left, at the lower end
    (one,) = read_studies(store(("s", 5)), said, FINDINGS, ANY, {}, {}, {})
    assert one.study == {"left": 0.6, "right": 0.0, "any": 0.8}


def test_a_study_of_two_series_is_judged_by_the_better_of_those_that_were_read() -> None:
    both = store(("s", 3), ("t", 2))
    both = replace(both, slices=both.slices.with_columns(StudyInstanceUID=pl.lit("s")))
    said = np.zeros((5, 3))
    said[:, 2] = [0.1, 0.2, 0.3, 0.7, 0.6]
    best = [SeriesScore(f"{name}-series", 1, 0.0, ()) for name in ("unread", "s", "t")]
    (one,) = read_studies(both, said, FINDINGS, ANY, {}, {}, {}, {"s": best})
    assert (one.series_uid, one.study["any"]) == ("s-series", 0.3)
    assert one.key_slices == ("s.2", "s.1", "s.0")
    assert [part.probabilities["any"] for part in one.slices] == [0.1, 0.2, 0.3, 0.7, 0.6]
    (all_of_it,) = read_studies(both, said, FINDINGS, ANY, {}, {}, {})
    assert all_of_it.study["any"] == 0.7


def test_key_slices_are_the_best_of_the_headline_best_first() -> None:
    said = np.zeros((9, 3))
    said[:, 2] = [0, 0, 0, 0.2, 0.3, 0.9, 0.8, 0.1, 0]
    said[0, 0] = 1.0  # another finding's slice does not speak for the headline
    (one,) = read_studies(store(("s", 9)), said, FINDINGS, ANY, {}, {}, {})
    assert one.key_slices == ("s.5", "s.6", "s.4", "s.3", "s.7")
    assert len(one.key_slices) == KEY_SLICES


def test_rejects_and_issues_stand_with_their_study_and_an_unread_study_is_not_lost() -> None:
    cut = Reject("x.dcm", None, "decode_failed", "no picture")
    gone = Reject("y.dcm", None, "decode_failed", "no picture")
    tilted = Issue("tilted", "8.0 degrees")
    read, unread = read_studies(
        store(("s", 2)),
        np.full((2, 3), 0.5),
        FINDINGS,
        ANY,
        {"s": [cut], "u": [gone]},
        {"s": [tilted]},
        MappingProxyType({"task": "t"}),
    )
    assert (read.rejects, read.issues) == ((cut,), (tilted,))
    assert (unread.study_uid, unread.rejects, dict(unread.study)) == ("u", (gone,), {})
    assert unread.to_dict()["state"] == "unread"
    assert read.to_dict()["state"] == "read"
    assert unread.to_dict()["findings"] == list(FINDINGS)
    assert unread.to_dict()["use"].startswith("Research use only")
