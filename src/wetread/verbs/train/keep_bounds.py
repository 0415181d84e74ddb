"""verbs/train/keep_bounds.py: what is inside of that which a run learned, measured and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.table_file import read_parquet
from wetread.inputs.study_traits import study_traits
from wetread.store.store import Store
from wetread.study.series import series_slices
from wetread.training.bounds import fit_bounds, write_bounds
from wetread.training.predictions import FILE
from wetread.training.run import BEST, Run
from wetread.training.series.reader import JOINT_FOLDER
from wetread.training.trained_model import read_trained_model


def keep_bounds(run: Run, images: pl.DataFrame, store: Store, encoder: str) -> None:
    """Write the bounds of a trained run, by the network of its first split and the studies that
    this one never saw; none where these are too few.

    images: rows of the index that was learned from; store: of them, in the task's first crop.
    encoder: the name of the first network of a model of whole series.
    """
    table = read_parquet(run.folder / FILE, columns=["level", "study", "model"])
    unseen = table.filter(pl.col("model") == 0)["study"].unique().implode()
    held_out = np.flatnonzero(store.slices["StudyInstanceUID"].is_in(unseen).to_numpy())
    checkpoint = first_checkpoint(run.folder, encoder)
    traits = study_traits(series_slices(images), store.slices)
    bounds = fit_bounds(
        read_trained_model(checkpoint),
        checkpoint.relative_to(run.folder).as_posix(),
        store,
        held_out.astype(np.int64),
        [one for of_study in traits.values() for one in of_study],
    )
    write_bounds(run, bounds)


def first_checkpoint(run: Path, encoder: str) -> Path:
    """Find the kept network of slices of a run's first split; of a model of whole series the
    encoder of that name in its first part."""
    part = run / "model-0" / "part-0"
    candidates = (run / "model-0", part / JOINT_FOLDER / encoder, part / encoder)
    return next(folder / BEST for folder in candidates if (folder / BEST).is_file())
