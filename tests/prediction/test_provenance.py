"""tests/prediction/test_provenance.py: what made a reading, without the folders of a machine."""

from collections.abc import Callable
from pathlib import Path

from wetread.archive.version import VERSION
from wetread.labels.finding import Finding
from wetread.prediction.ensemble import read_ensemble
from wetread.prediction.provenance import provenance
from wetread.prediction.slices import SliceReader
from wetread.study.crop import whole_picture
from wetread.training.slices.spec import SliceSpec

WriteRun = Callable[..., Path]


def test_checkpoints_are_named_from_the_runs_folder_on(write_run: WriteRun, tmp_path: Path) -> None:
    ensemble = read_ensemble([write_run("a", models=2)])
    spec = SliceSpec("t", (Finding("left"), Finding("right"), Finding("any")), whole_picture)
    values = provenance(SliceReader(ensemble, spec))
    assert [model["checkpoint"] for model in values["models"]] == [
        "a/model-0/best.pt",
        "a/model-1/best.pt",
    ]
    assert str(tmp_path) not in str(values)
    assert (values["wetread"], values["task"]) == (VERSION, "t")
    assert values["view"]["size"] == 16
    assert (values["flip_averaged"], values["slices_smoothed"]) == (True, "1-2-1 along the series")
