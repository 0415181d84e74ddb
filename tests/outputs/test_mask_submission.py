"""tests/outputs/test_mask_submission.py: one row an image, complete, in the exact form."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wetread.labels.finding import Finding
from wetread.labels.rle import decode_union, encode
from wetread.labels.rle_csv import read_rle_csv
from wetread.outputs.mask_submission import write_mask_submission


def test_without_a_sample_images_are_sorted_and_what_was_not_read_is_empty_and_named(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.csv"
    unread = write_mask_submission(path, {"b": "3 2 10 1", "a": "-1"}, expected=["cut", "a"])
    assert unread == ("cut",)
    assert path.read_text() == "ImageId,EncodedPixels\na,-1\nb,3 2 10 1\ncut,-1\n"


def test_a_sample_gives_images_and_order_and_repeated_rows_become_one(tmp_path: Path) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text("ImageId, EncodedPixels\nz, -1\na, -1\nz, -1\n new, -1\n")
    path = tmp_path / "s.csv"
    unread = write_mask_submission(path, {"a": "0 1", "z": "5 5", "extra": "-1"}, sample, ["x"])
    assert unread == ("new",)
    assert path.read_text() == "ImageId,EncodedPixels\nz,5 5\na,0 1\nnew,-1\n"


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.text("ab_1.é", min_size=1, max_size=6), arrays(bool, (5, 7)), max_size=6))
def test_every_mask_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, masks: dict[str, np.ndarray]
) -> None:
    path = tmp_path_factory.mktemp("s") / "s.csv"
    write_mask_submission(path, {image: encode(mask) for image, mask in masks.items()})
    back = read_rle_csv(path, (Finding("air"),)).masks
    assert back["id"].to_list() == sorted(masks)
    for image, form, runs in back.select("id", "form", "runs").iter_rows():
        np.testing.assert_array_equal(decode_union(runs, (5, 7), form), masks[image])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,EncodedPixels\na,-1\n", "no column 'ImageId'"),
        ("ImageId,EncodedPixels\na,-1\n,-1\n", "line 3 has no ImageId"),
    ],
)
def test_a_sample_of_another_form_is_refused(tmp_path: Path, text: str, said: str) -> None:
    sample = tmp_path / "sample.csv"
    sample.write_text(text)
    with pytest.raises(ValueError, match=said):
        write_mask_submission(tmp_path / "s.csv", {}, sample)


@pytest.mark.parametrize("text", ["", "5", "1 2 3", "-1 -1", "1.5 2", "a b", "1  2"])
def test_what_is_no_mask_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"image 'a': .* is no run-length text"):
        write_mask_submission(tmp_path / "s.csv", {"a": text})
    assert list(tmp_path.iterdir()) == []
