"""labels/resolve.py: ids of series, patients and files become the images and studies they name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from wetread.labels.finding import Finding
from wetread.labels.repair import bare_id, repairs
from wetread.labels.table import LABEL_SCHEMA, LabelError, LabelTable, label_table, merge_masks

DEEPEST = 8  # parts of a path's end that are compared at most
COLUMNS = {  # of an index, by what an id names
    "image": "SOPInstanceUID",
    "series": "SeriesInstanceUID",
    "study": "StudyInstanceUID",
    "patient": "PatientID",
}


def resolve_labels(
    table: LabelTable,
    image: Sequence[Finding],
    study: Sequence[Finding],
    images: pl.DataFrame,
) -> tuple[LabelTable, int]:
    """Return labels by the images and studies of an archive that their ids name, and how many ids
    were repaired (a blank, a path, an ending).

    table: its rows' level is what an id names. image, study: the findings that images and studies
    have; of one that only studies have, an image's label is its study's. images: rows of an index.
    A file of several frames, as a volume, names its study, where that has findings of its own.
    A label of an id that names nothing here stays as it is written. A study has the label of its
    series, its patient or its file; of its images' labels the greatest, where all are known.
    LabelError where an id of a finding of images names several of them.
    """
    levels = {"image": {one.name for one in image}, "study": {one.name for one in study}}
    of_studies = {one.name for one in study if one.level == "study"}
    volumes = _volumes(images) if of_studies else []
    parts, repaired, masks = [table.frame.filter(pl.col("level") == "study")], 0, table.masks
    for id_of in ("image", "file", "series", "patient"):
        rows = table.frame.filter(pl.col("level") == id_of)
        first, second = ("image", "study") if id_of in ("image", "file") else ("study", "image")
        at_first = pl.col("finding").is_in(levels[first]) | ~pl.col("finding").is_in(levels[second])
        if id_of == "image":
            alone = at_first & ~pl.col("id").is_in(volumes)
            parts.append(rows.filter(alone))
            rows = rows.filter(~alone)
        if rows.is_empty():
            continue
        named, count = name_images(rows["id"].unique(maintain_order=True), id_of, images)
        repaired += count
        if id_of == "file" and masks.height:
            masks = _masks_of_files(masks, rows, named)
        if first == "image":
            whole = named.filter(pl.col("image").is_in(volumes))["written"].to_list()
            at_first &= ~(pl.col("id").is_in(whole) & pl.col("finding").is_in(of_studies))
        parts.append(_at_level(rows.filter(at_first), first, id_of, named))
        parts.append(_at_level(rows.filter(~at_first), second, id_of, named))
    if len(parts) == 2 and parts[0].height + parts[1].height == table.frame.height:
        return table, 0  # all are by image or by study
    united = label_table(pl.concat(parts))
    conflicts = pl.concat([table.conflicts, united.conflicts])
    duplicates = table.duplicates + united.duplicates
    return replace(
        table, frame=united.frame, conflicts=conflicts, duplicates=duplicates, masks=masks
    ), repaired


def _volumes(images: pl.DataFrame) -> list[str]:
    """List the images that hold several frames, rows of an index."""
    if "NumberOfFrames" not in images.columns:
        return []
    return images.filter(pl.col("NumberOfFrames") > 1)["SOPInstanceUID"].drop_nulls().to_list()


def _masks_of_files(masks: pl.DataFrame, rows: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    """Give the masks of files, whose labels are rows, the ids of their images; named: columns
    written, image."""
    of_files = rows.select("id", "finding").unique()
    image_of = named.select(id="written", image="image").unique()
    targets = of_files.join(image_of, on="id", how="inner")
    joined = masks.join(targets, on=["id", "finding"], how="left", maintain_order="left")
    return merge_masks([joined.select(pl.coalesce("image", "id").alias("id"), *masks.columns[1:])])


def _at_level(rows: pl.DataFrame, level: str, id_of: str, named: pl.DataFrame) -> pl.DataFrame:
    """Give labels of one level's findings the ids of that level; named: columns written, image,
    study."""
    if rows.is_empty():
        return pl.DataFrame(schema=LABEL_SCHEMA)
    targets = named.select("written", target=pl.col(level)).unique(maintain_order=True)
    if level == "image" and targets["written"].is_duplicated().any():
        several = targets.filter(pl.col("written").is_duplicated())
        raise LabelError(
            f"the labels of {rows['finding'][0]!r} are by {id_of}, and a {id_of} has several "
            f"images ({several['written'].n_unique()} of them). What is known of a {id_of} alone "
            'is a finding of level "study".'
        )
    joined = rows.join(targets, left_on="id", right_on="written", how="left", maintain_order="left")
    found = joined.select(
        pl.lit(level).alias("level"),
        pl.coalesce("target", "id").alias("id"),
        "finding",
        "value",
    )
    if level == "study" and id_of in ("image", "file"):
        greatest = pl.when(pl.col("value").null_count() == 0).then(pl.col("value").max())
        some = pl.when(pl.col("value").max() == 1.0).then(1.0).otherwise(greatest)
        found = found.group_by("level", "id", "finding", maintain_order=True).agg(
            some.alias("value")
        )
    return found.cast(LABEL_SCHEMA)  # type: ignore[arg-type]


def spread_over_images(labels: LabelTable, images: pl.DataFrame) -> LabelTable:
    """Give each image its study's labels, where it has none of its own; those of a study that is
    not there stay under its id. images: rows of an index."""
    of_images = labels.frame.filter(pl.col("level") == "image")
    pairs = images.select(id="SOPInstanceUID", study="StudyInstanceUID").drop_nulls()
    spread = (
        labels.frame.filter(pl.col("level") == "study")
        .join(pairs, left_on="id", right_on="study", how="left", maintain_order="left")
        .select(
            pl.lit("image").alias("level"),
            pl.coalesce("id_right", "id").alias("id"),
            "finding",
            "value",
        )
    )
    others = spread.join(of_images, on=["id", "finding"], how="anti", maintain_order="left")
    return labels.with_frame(pl.concat([of_images, others]))


def name_images(
    written: Iterable[str], id_of: str, images: pl.DataFrame
) -> tuple[pl.DataFrame, int]:
    """Find the images that ids name: rows of written, image, study; and how many ids are there
    once repaired."""
    if id_of == "file":
        ids, repaired = name_files(list(written), images), 0
    else:
        existing = images[COLUMNS[id_of]]
        changed = repairs(list(written), set(existing.drop_nulls()))
        ids = pl.DataFrame({"written": list(written)}, schema={"written": pl.String}).with_columns(
            key=pl.col("written").replace(changed)
        )
        repaired = len(changed)
        keyed = images.select(
            key=existing, image=pl.col("SOPInstanceUID"), study=pl.col("StudyInstanceUID")
        )
        ids = ids.join(keyed, on="key", how="inner", maintain_order="left")
    return ids.select("written", "image", "study"), repaired


def name_files(written: Sequence[str], images: pl.DataFrame) -> pl.DataFrame:
    """Find the images of files: written, image, study. An id is compared by as much of its path's
    end as makes all ids distinct, without an ending, and where several files end so by more of it;
    what names several files to its whole length names none."""
    paths = images.select(path=pl.coalesce("member", "path"))["path"].to_list()
    files = images.select(pl.concat_str("path", pl.col("member").fill_null("")))["path"]
    left, found = list(written), []
    for depth in range(distinct_depth(written), DEEPEST + 1):
        keys = images.select(
            key=pl.Series([path_end(path, depth) for path in paths], dtype=pl.String),
            file=files,
            image=pl.col("SOPInstanceUID"),
            study=pl.col("StudyInstanceUID"),
        )
        several = keys.group_by("key").agg(several=pl.col("file").n_unique() > 1)
        ids = pl.DataFrame(
            {"written": left, "key": [path_end(one, depth) for one in left]},
            schema={"written": pl.String, "key": pl.String},
        ).join(several, on="key", how="inner", maintain_order="left")
        sure = ids.filter(~pl.col("several"))
        found.append(sure.join(keys, on="key", how="inner", maintain_order="left"))
        left = ids.filter("several")["written"].to_list()
        if not left:
            break
    return pl.concat(found)


def ambiguous_files(written: Iterable[str], images: pl.DataFrame) -> list[str]:
    """List the ids whose name, without folders and ending, is that of several files, rows of an
    index: more of their path would say which."""
    paths = images.select(
        name=pl.coalesce("member", "path"),
        file=pl.concat_str("path", pl.col("member").fill_null("")),
    ).unique()
    names = Counter(path_end(path, 1) for path in paths["name"])
    return [one for one in written if names[path_end(one, 1)] > 1]


def distinct_depth(written: Sequence[str]) -> int:
    """Count the last parts of paths by which distinct ids are distinct."""
    distinct = set(written)
    for depth in range(1, DEEPEST):
        if len({path_end(one, depth) for one in distinct}) == len(distinct):
            return depth
    return DEEPEST


def path_end(path: str, depth: int) -> str:
    """Return the last parts of a path, the last of them without its ending."""
    parts = [part for part in re.split(r"[\\/]", path.strip()) if part]
    return "/".join([*parts[-depth:-1], bare_id(parts[-1])]) if parts else ""
