"""verbs/features.py: raw DICOM and a run in; the features of its encoders, a table, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from wetread.archive.files.atomic import atomic_path
from wetread.archive.files.lock import exclusive_output
from wetread.archive.files.paths import as_paths
from wetread.archive.identity.user_key import user_key
from wetread.archive.types import Float32Array, StrPath, StrPaths
from wetread.inputs.archive import open_archive, require_sources
from wetread.inputs.progress import Report, silent
from wetread.prediction.ensemble import read_ensemble
from wetread.prediction.members import Ensemble
from wetread.store.store import Store
from wetread.training.networks import SliceNetwork
from wetread.training.series.slice_features import encode_slices
from wetread.verbs.predict.read_archive import pack_selection, task_of
from wetread.verbs.predict.selection import select_images

FILE, CACHE = "features.parquet", "encoded"
SCHEMA = pl.Schema(
    {
        "level": pl.String(),
        "study": pl.String(),
        "id": pl.String(),
        "encoder": pl.String(),
        "features": pl.List(pl.Float32()),
    }
)


@dataclass(frozen=True)
class FeatureTable:
    """Where the table lies, and how many slices, studies and encoders it has."""

    file: Path
    slices: int
    studies: int
    encoders: int
    refused: int

    def to_dict(self) -> dict[str, object]:
        """As plain values, for JSON."""
        return {
            "file": str(self.file),
            "slices": self.slices,
            "studies": self.studies,
            "encoders": self.encoders,
            "refused": self.refused,
        }


@exclusive_output()
def features(
    source: StrPaths,
    run: StrPath,
    out: StrPath,
    *,
    workers: int | None = None,
    report: Report = silent,
    repair: bool = True,
    as_hu: bool = False,
    clear_patients: bool = False,
    verify: bool = False,
) -> FeatureTable:
    """Encode every slice that a run reads; write out/features.parquet.

    source: folders, zips, tars or files, one or several; or one index (.parquet).
    run: a folder that `train` wrote.
    out: the folder of the table, and of the index and store that it was made of.
    repair: as for `index`, where files are indexed. verify: as for `pack`.
    as_hu: take CT whose header does not say HU as HU; else such slices are left out and counted.
    clear_patients: keep PatientIDs and times in out's index and store as they are.
    workers: processes; None: all cores. report: called with (stage, done, total).

    A row is a slice (level image, id its SOPInstanceUID) or a study (its StudyInstanceUID), by one
    encoder, named as its folder in the run; features are the inputs of that network's last layer,
    of a study their mean over its slices. Raises RunError where the folder is no run.
    """
    sources, out, ensemble = as_paths(source), Path(out), read_ensemble([Path(run)])
    task = task_of(ensemble)
    require_sources(sources)
    key = None if clear_patients else user_key()
    archive = open_archive(
        sources, out, workers=workers, report=report, repair=repair, as_hu=as_hu, key=key
    )
    selection = select_images(archive, task)
    stores = pack_selection(selection, ensemble, out, workers=workers, report=report, verify=verify)
    tables = [
        feature_rows(store, name, _encoded(model, store, out / CACHE))
        for name, model, store in _encoders(Path(run), ensemble, stores)
    ]
    with atomic_path(out / FILE) as part:
        pl.concat(tables).write_parquet(part)
    images = stores[0].slices
    return FeatureTable(
        out / FILE,
        len(stores[0]),
        images["StudyInstanceUID"].n_unique(),
        len(tables),
        selection.refused.height + stores[0].rejects.height,
    )


def feature_rows(store: Store, encoder: str, features: Float32Array) -> pl.DataFrame:
    """List the features (N, D) of a store's slices, then their means by study: SCHEMA."""
    slices = store.slices.select(study="StudyInstanceUID", id="SOPInstanceUID").with_columns(
        level=pl.lit("image")
    )
    studies = slices["study"].unique(maintain_order=True)
    whole = pl.DataFrame({"study": studies, "id": studies}).with_columns(level=pl.lit("study"))
    number = slices["study"].replace_strict(studies, range(len(studies))).to_numpy()
    means = np.zeros((len(studies), features.shape[1]))
    np.add.at(means, number, features)
    means /= np.bincount(number, minlength=len(studies))[:, None]
    tables = [
        rows.with_columns(
            encoder=pl.lit(encoder),
            features=pl.Series(values.astype(np.float32)).cast(SCHEMA["features"]),
        )
        for rows, values in ((slices, features), (whole, means))
    ]
    return pl.concat([rows.select(*SCHEMA).cast(SCHEMA) for rows in tables])


def _encoders(
    run: Path, ensemble: Ensemble, stores: Sequence[Store]
) -> list[tuple[str, SliceNetwork, Store]]:
    """List each encoder's name, itself and the store of its crop."""
    if not ensemble.series_models:
        return [
            (str(member.checkpoint.parent.relative_to(run)), member.model, stores[0])
            for member in ensemble.members
        ]
    return [
        (f"{member.checkpoint.parent.relative_to(run)}/{name}", encoder, store)
        for member, model in zip(ensemble.members, ensemble.series_models, strict=True)
        for name, encoder, store in zip(
            task_of(ensemble).networks, model.encoders, stores, strict=True
        )
    ]


def _encoded(model: SliceNetwork, store: Store, cache: Path) -> Float32Array:
    """Encode all slices of a store, (N, D); (0, 0) where there are none."""
    if len(store) == 0:
        return np.empty((0, 0), np.float32)
    return encode_slices(model, store, np.arange(len(store)), cache)
