"""tests/labels/test_rle_csv.py: `ImageId,EncodedPixels` as people have it, and what it means."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.labels.finding import Finding
from wetread.labels.mask_check import check_masks
from wetread.labels.named_column import read_named_column
from wetread.labels.rle import decode_union
from wetread.labels.rle_csv import read_rle_csv
from wetread.labels.table import MASK_SCHEMA, LabelError, LabelTable, match, merge_labels

AIR = Finding("air")
ROWS = "a,0 3\nb,-1\na,1 4\n"
READ = (
    [("image", "a", "air", 1.0), ("image", "b", "air", 0.0)],
    [("a", "air", "relative", ["0 3", "1 4"]), ("b", "air", "relative", [])],
)


def read(folder: Path, text: str | bytes, form: str = "relative") -> LabelTable:
    path = folder / "rle.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_rle_csv(path, (AIR,), form=form)


@pytest.mark.parametrize(
    "text",
    [
        "ImageId,EncodedPixels\n" + ROWS,
        "ImageId, EncodedPixels\n" + ROWS.replace(",", ", "),
        "\ufeffImageId, EncodedPixels\r\n" + ROWS.replace(",", ",  ").replace("\n", " \r\n"),
        " ImageId ,EncodedPixels\n" + ROWS,
        '"ImageId","EncodedPixels"\n' + ROWS.replace("-1", '"-1"'),
        "EncodedPixels,who,ImageId\n0 3,x,a\n-1,y,b\n1 4,z,a\n",
        ROWS,
        "\ufeff" + ROWS.replace(",", ", "),
        "b,-1\n".join(["a,0 3\n", "a,1 4\n\n"]),
    ],
)
def test_headers_with_blanks_or_marks_or_none_are_read_alike(tmp_path: Path, text: str) -> None:
    labels = read(tmp_path, text)
    assert labels.frame.rows() == READ[0]
    assert labels.masks.rows() == READ[1]
    assert labels.masks.schema == pl.Schema(MASK_SCHEMA)
    assert (labels.duplicates, labels.conflicts.height) == (0, 0)


def test_a_file_without_header_may_begin_with_an_empty_mask(tmp_path: Path) -> None:
    labels = read(tmp_path, "b, -1\na,0 3\n")
    assert dict(labels.frame.select("id", "value").rows()) == {"b": 0.0, "a": 1.0}


def test_rows_of_one_image_may_overlap_and_equal_rows_count_once(tmp_path: Path) -> None:
    labels = read(tmp_path, "ImageId,EncodedPixels\na,0 3\na,2 3\na, 0 3\nb,-1\nb,-1\n")
    assert labels.duplicates == 2
    assert labels.masks["runs"].to_list() == [["0 3", "2 3"], []]
    assert decode_union(labels.masks["runs"][0].to_list(), (3, 4)).sum() == 5
    _, rejects = check_masks(labels, {"a": (3, 4), "b": (3, 4)})
    assert rejects.is_empty()


def test_an_image_with_a_mask_and_with_minus_one_is_a_conflict(tmp_path: Path) -> None:
    labels = read(tmp_path, "ImageId,EncodedPixels\na,-1\na,0 3\nb,-1\n")
    assert labels.frame.rows() == [("image", "a", "air", None), ("image", "b", "air", 0.0)]
    assert labels.conflicts.rows() == [("image", "a", "air", [0.0, 1.0])]
    assert labels.masks["id"].to_list() == ["b"]


def test_an_empty_cell_is_unknown_and_never_an_empty_mask(tmp_path: Path) -> None:
    labels = read(tmp_path, "ImageId,EncodedPixels\na,\nb,-1\n")
    assert labels.frame["value"].to_list() == [None, 0.0]
    assert labels.masks["id"].to_list() == ["b"]


def test_ids_are_kept_as_they_are_written(tmp_path: Path) -> None:
    labels = read(tmp_path, "ImageId,EncodedPixels\n007,-1\n1.2 ,-1\n")
    assert labels.frame["id"].to_list() == ["007", "1.2 "]


def test_an_empty_mask_in_coco_counts_is_no_finding(tmp_path: Path) -> None:
    labels = read(tmp_path, "ImageId,EncodedPixels\na,12\nb,2 4 6\n", form="coco")
    assert labels.frame["value"].to_list() == [0.0, 1.0]
    assert labels.masks.rows() == [("a", "air", "coco", []), ("b", "air", "coco", ["2 4 6"])]


def test_no_rows_are_an_empty_table(tmp_path: Path) -> None:
    labels = read(tmp_path, "ImageId,EncodedPixels\n")
    assert labels.frame.is_empty()
    assert labels.masks.is_empty()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ImageId,EncodedPixels\na,0 3\nb,none\nc,x\n", ["line 3", "'none'", "1 more"]),
        ("a,0 3\nb,0;3\n", ["line 2", "'0;3'"]),
        ("ImageId,EncodedPixels\n,0 3\n", ["line 2", "'ImageId'", "empty"]),
        ("image,mask\na,0 3\n", ["no column 'ImageId', 'EncodedPixels'", "'mask'"]),
        ("ImageId,EncodedPixels\na,0 3,1\n", ["cannot be read"]),
        ("", ["empty"]),
    ],
)
def test_what_is_no_mask_file_is_refused_with_its_place(
    tmp_path: Path, text: str, parts: list[str]
) -> None:
    with pytest.raises(LabelError) as refused:
        read(tmp_path, text)
    for part in (str(tmp_path / "rle.csv"), *parts):
        assert part in str(refused.value)


def test_a_file_without_findings_is_of_one_finding_only(tmp_path: Path) -> None:
    path = tmp_path / "rle.csv"
    path.write_text(ROWS)
    assert read_rle_csv(path, (AIR, Finding("air", level="pixel"))).frame.height == 2
    with pytest.raises(LabelError, match="air, blood"):
        read_rle_csv(path, (AIR, Finding("blood")))


def real_labels(real_data: Path) -> tuple[LabelTable, LabelTable]:
    folder = real_data / "pneumothorax"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return (
        read_rle_csv(folder / "train-rle.csv", (AIR,)),
        read_named_column(folder / "patients.csv", "has_pneumothorax", (AIR,)),
    )


def test_the_real_files_hold_three_kinds_of_knowledge(real_data: Path) -> None:
    masks, image_labels = real_labels(real_data)
    images = image_labels.frame["id"].to_list()
    merged = merge_labels([masks, image_labels])
    assert (merged.duplicates, merged.conflicts.height) == (167, 0)
    value = dict(merged.frame.select("id", "value").rows())
    with_runs = set(merged.masks.filter(pl.col("runs").list.len() > 0)["id"])
    without = set(merged.masks["id"]) - with_runs
    assert len(with_runs) == 20
    assert without == {name for name, said in value.items() if said == 0.0}
    assert len(without) == 147
    assert len({name for name, said in value.items() if said == 1.0} - with_runs) == 50
    assert match(masks, images).images_without_label == 50
    assert match(merged, images).labeled == 217


def test_saying_nowhere_anything_scores_the_share_of_empty_masks(real_data: Path) -> None:
    """The competition's Dice, 1 where both masks are empty, of all-empty masks: 147 of 167."""
    masks, _ = real_labels(real_data)
    kept, rejects = check_masks(masks, dict.fromkeys(masks.frame["id"], (1024, 1024)))
    assert rejects.is_empty()
    dice = []
    for runs in kept.masks["runs"].to_list():
        pixels = int(decode_union(runs, (1024, 1024)).sum())
        dice.append(1.0 if pixels == 0 else 2 * 0 / pixels)
    assert len(dice) == 167
    assert np.mean(dice) == 147 / 167


def test_the_two_rows_of_an_image_are_one_mask(real_data: Path) -> None:
    masks, _ = real_labels(real_data)
    several = masks.masks.filter(pl.col("runs").list.len() > 1)["runs"].to_list()
    assert [len(runs) for runs in several] == [2, 2]
    for runs in several:
        one, two = (decode_union([text], (1024, 1024)) for text in runs)
        np.testing.assert_array_equal(decode_union(runs, (1024, 1024)), one | two)
