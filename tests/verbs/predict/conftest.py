"""tests/verbs/predict/conftest.py: a small archive as random networks read it, without a run."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from wetread.labels.finding import finding_names
from wetread.models.encoders import build
from wetread.prediction.members import Ensemble, Member
from wetread.prediction.readers import make_reader
from wetread.store.pack import pack
from wetread.store.pack_series import OneBox, Packing
from wetread.study.crop import whole_picture
from wetread.tasks import find_task
from wetread.training.recipe_file import read_recipe
from wetread.training.trained_model import TrainedModel
from wetread.verbs.index import index
from wetread.verbs.predict.read_archive import ReadArchive
from wetread.verbs.predict.selection import select_images

SIZE = 16


def silent(done: int, total: int) -> None:
    """Reports nothing."""


@pytest.fixture(scope="session")
def read_archive(
    write_ct_once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> ReadArchive:
    """Study 1.7, a CT of five slices, with a localizer; study 1.99 is MR, which is not read."""
    out, source = tmp_path_factory.mktemp("read"), write_ct_once(5)
    write_ct_once(1, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    write_ct_once(2, Modality="MR", StudyInstanceUID="1.99")
    task, recipe = (
        find_task("hemorrhage"),
        read_recipe("compact", [f"size={SIZE}", "runtime.device=cpu"]),
    )
    names = finding_names(task.findings)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(recipe.encoder, recipe.view.channels, len(names)).eval()
    model = TrainedModel(network, names, (), recipe.view, recipe, 1.0, 3, None)
    ensemble = Ensemble(
        folder=Path("run"),
        task=task.name,
        findings=names,
        size=SIZE,
        prior=dict.fromkeys(names, 0.1),
        members=(Member(model, Path("run/model-0/best.pt")),),
        cautions=("never_scored_on_patients",),
    )
    selection = select_images(index([source], out / "index.parquet", workers=1), task)
    packing = Packing(size=SIZE, find_boxes=OneBox(whole_picture))
    series = [rows for rows in selection.series if rows.height > 1]
    store = pack(series, out / "store", packing, workers=1, progress=silent)
    reader = make_reader(ensemble, task.spec, out / "features")
    answers = reader.read([store], ranked=selection.ranked, progress=silent)
    return ReadArchive(task, reader, selection, store, answers)
