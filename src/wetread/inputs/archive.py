"""inputs/archive.py: the archive that a verb learns from or reads, as an index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wetread.archive.executor.workers import Workers, select_workers
from wetread.archive.identity.user_key import UserKey
from wetread.archive.index.index import Index, build_index, read_index
from wetread.inputs.progress import Report, stage
from wetread.inputs.sources import given_index, in_hu


def require_sources(sources: Sequence[Path]) -> None:
    """Raise FileNotFoundError for a source that does not exist, and what an index that stands in
    place of files raises when it is no index, or not alone. No image is read."""
    for source in sources:
        if not source.exists():
            raise FileNotFoundError(
                f"{source} does not exist; give folders, zip files or DICOM files"
            )
    if (given := given_index(sources)) is not None:
        read_index(given)


def open_archive(
    sources: Sequence[Path],
    out: Path,
    *,
    workers: Workers | None,
    report: Report,
    repair: bool = True,
    as_hu: bool = False,
    key: UserKey | None = None,
) -> Index:
    """Read the index that stands in place of files, or index the sources into out/index.parquet.

    as_hu: take its CT as HU, whatever the headers say; the file stays as it is.
    key: of the pseudonyms that it gets, in either case; None keeps PatientIDs as they are.
    """
    if (given := given_index(sources)) is not None:
        archive = read_index(given).pseudonymized(key)
    else:
        archive = build_index(
            sources,
            out / "index.parquet",
            workers=select_workers(workers, None),
            progress=stage(report, "index"),
            repair=repair,
            key=key,
        )
    return in_hu(archive) if as_hu else archive


def of_modalities(modalities: Sequence[str]) -> pl.Expr:
    """Select rows of an index by modality; rows that do not say theirs are selected."""
    return pl.col("Modality").is_null() | pl.col("Modality").is_in(list(modalities))


def select_modalities(archive: Index, modalities: Sequence[str]) -> Index:
    """Keep the images of some modalities; images that do not say theirs are kept."""
    kept = archive.instances.filter(of_modalities(modalities) | (pl.col("state") != "image"))
    return Index(kept.lazy(), archive.rejects, archive.duplicates)
