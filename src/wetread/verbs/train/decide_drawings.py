"""verbs/train/decide_drawings.py: a run draws in phantoms that it has not learned from; how its
masks are decided, and how far what is measured in them was off."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.table_file import read_csv
from wetread.archive.index.index import read_index
from wetread.archive.types import BoolArray, Row
from wetread.evaluation.volume_decision import KnownSeries, VolumeThresholds
from wetread.inputs.progress import Report, stage
from wetread.labels.mask_text import decode_masks
from wetread.prediction.ensemble import read_ensemble
from wetread.prediction.series import SeriesReader
from wetread.prediction.volumes import draw_volumes
from wetread.store.store import Store, open_store
from wetread.study.placement import series_placement
from wetread.tasks import Task
from wetread.training.choose_drawings import KnownDrawing, choose_drawings
from wetread.training.drawings import FILE
from wetread.training.run import Run
from wetread.training.series.fit import FEATURES
from wetread.training.series.prepare import held_out_studies
from wetread.training.series.series import unlabeled_series
from wetread.training.series.spec import SeriesSpec
from wetread.verbs.train.pretrain import phantom_labels

ANY = VolumeThresholds(0.5, 0.5)  # where maps alone are asked for


def decide_drawings(out: Path, task: Task, report: Report) -> None:
    """Choose, on the held-out phantoms of a run's phantoms/, the thresholds of what its encoders
    draw, and find the errors of the task's measures; written to out/drawings.json. Nothing is
    written where the task reads no whole series, or no phantoms were held out."""
    folder, spec = out / "phantoms", task.spec
    own = task.phantom_task is task  # another's know nothing of what is drawn
    if not isinstance(spec, SeriesSpec) or not own or not (folder / "archive").is_dir():
        return
    stores = [open_store(folder / name) for name in spec.crops.stores]
    held_out = held_out_studies(stores[0].slices["StudyInstanceUID"].to_list())
    ensemble = read_ensemble([out])
    draws = all(one.recipe.series.features == "drawn" for one in ensemble.series_models)
    if len(held_out) < 2 or not ensemble.series_models or not draws:
        return
    reader = SeriesReader(ensemble, spec, out / FEATURES)
    phantoms = _draw(reader, stores, sorted(held_out), task, report)
    drawings = choose_drawings(phantoms, spec.measures)
    Run(out).write_json(FILE, drawings.to_dict())


def _draw(
    reader: SeriesReader,
    stores: Sequence[Store],
    studies: Sequence[str],
    task: Task,
    report: Report,
) -> list[KnownDrawing]:
    """Draw in the phantoms of these studies, and gather what is known of them."""
    folder = stores[0].path.parent
    series = unlabeled_series(stores[0].slices, 0, 0)
    chosen = np.array([series.studies.index(study) for study in studies], np.int64)
    own = series.of(chosen)
    crops = reader.draw(stores, own.rows, stage(report, "masks of phantoms"))
    labels = phantom_labels(task, folder / "archive")
    text = read_csv(folder / "archive" / "truth.csv", infer_schema=False)
    truth = text.select("study", pl.exclude("study").cast(pl.Float64, strict=False))
    images = read_index(folder / "index.parquet").images
    masks = {(row["id"], row["finding"]): row for row in labels.masks.iter_rows(named=True)}
    anything = {name: ANY for crop in crops for name in crop.findings}
    found = []
    for number, study in enumerate(own.studies):
        rows = own.rows[own.starts[number] : own.starts[number + 1]]
        ids = stores[0].slices["SOPInstanceUID"].gather(rows).to_list()
        known = {}
        for volume in draw_volumes(crops, rows, anything):
            maps = volume.maps
            true = [_mask(masks.get((name, volume.finding)), maps.shape) for name in ids]
            known[volume.finding] = KnownSeries(maps, true)
        of_study = truth.filter(pl.col("study") == study)
        found.append(KnownDrawing(known, series_placement(ids, images), of_study))
    return found


def _mask(row: Row | None, shape: tuple[int, int]) -> BoolArray:
    """Decode the true mask (rows, columns) of a slice; empty where nothing is marked."""
    if row is None or not row["runs"]:
        return np.zeros(shape, bool)
    return decode_masks(row["runs"], shape, row["form"])
