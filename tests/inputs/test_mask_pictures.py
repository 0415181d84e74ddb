"""tests/inputs/test_mask_pictures.py: a folder of PNG masks, named as their images, as labels."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from wetread.inputs.label_file import read_label_file
from wetread.inputs.mask_pictures import read_mask_pictures
from wetread.labels.mask_text import decode_masks
from wetread.labels.table import LabelError
from wetread.tasks import find_task


def test_each_picture_is_a_mask_of_the_image_of_its_name(tmp_path: Path) -> None:
    masks = {f"deep/m{n}": np.random.default_rng(n).random((6, 8)) < 0.3 for n in range(3)}
    masks["empty"] = np.zeros((6, 8), bool)
    for name, mask in masks.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        gray = np.where(mask, 255, 0).astype(np.uint8)
        three = name.endswith("2")
        cv2.imwrite(f"{tmp_path / name}.png", np.dstack([gray] * 3) if three else gray)
    (tmp_path / "notes.txt").write_text("no mask")
    for given in (str(tmp_path), f"{tmp_path}:pneumothorax"):
        table = read_label_file(given, find_task("pneumothorax"), None)
        values = {one: value for _, one, _, value in table.frame.rows()}
        assert values == {name: float(mask.any()) for name, mask in masks.items()}
        assert set(table.frame["level"]) == {"file"}
        assert len(table.masks) == 3
        for row in table.masks.iter_rows(named=True):
            decoded = decode_masks(row["runs"], (6, 8), row["form"])
            np.testing.assert_array_equal(decoded, masks[row["id"]])


def test_folders_without_masks_and_pictures_that_are_cut_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no PNG in it"):
        read_mask_pictures(tmp_path, "a")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    with pytest.raises(LabelError, match=r"a.png: no mask can be read of it"):
        read_mask_pictures(tmp_path, "a")
    cv2.imwrite(str(tmp_path / "b.jpg"), np.full((9, 9), 255, np.uint8))
    (tmp_path / "b.jpg").rename(tmp_path / "a.png")
    with pytest.raises(LabelError, match=r"a.png: no PNG, whatever its name"):
        read_mask_pictures(tmp_path, "a")
    with pytest.raises(LabelError, match="nothing is no finding that masks are truth of"):
        read_label_file(f"{tmp_path}:nothing", find_task("pneumothorax"), None)
