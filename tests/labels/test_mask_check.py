"""tests/labels/test_mask_check.py: masks against the shapes of their images."""

from pathlib import Path

import polars as pl

from wetread.labels.finding import Finding
from wetread.labels.mask_check import MASK_REJECT_SCHEMA, check_masks
from wetread.labels.rle_csv import read_rle_csv


def test_masks_that_do_not_fit_their_image_are_rejects_and_the_label_stays(tmp_path: Path) -> None:
    path = tmp_path / "rle.csv"
    path.write_text(
        "ImageId,EncodedPixels\nfits,0 12\nout,0 13\nover,0 3 -1 2\nback,4 1 -3 1\nhalf,1 2 3\n"
        "second,0 1\nsecond,11 2\nunseen,0 99\nnone,-1\n"
    )
    labels = read_rle_csv(path, (Finding("air"),))
    shapes = {name: (3, 4) for name in labels.frame["id"] if name != "unseen"}
    kept, rejects = check_masks(labels, shapes)
    assert dict(rejects.select("id", "reason").rows()) == {
        "out": "mask_outside", "over": "mask_overlap", "back": "mask_backwards",
        "half": "mask_not_numbers", "second": "mask_outside",
    }  # fmt: skip
    assert kept.masks["id"].to_list() == ["fits", "unseen", "none"]
    assert kept.frame.equals(labels.frame)
    assert (kept.frame["value"].sum(), kept.frame.height) == (7.0, 8)


def test_masks_that_fit_leave_the_labels_and_no_reject(tmp_path: Path) -> None:
    path = tmp_path / "rle.csv"
    path.write_text("ImageId,EncodedPixels\na,0 12\nb,-1\n")
    labels = read_rle_csv(path, (Finding("air"),))
    kept, rejects = check_masks(labels, {"a": (3, 4), "b": (3, 4)})
    assert kept.masks.equals(labels.masks)
    assert rejects.equals(pl.DataFrame(schema=MASK_REJECT_SCHEMA))
