"""tests/verbs/train/test_pretrain.py: what is known of phantoms, and when none are learned."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from wetread.inputs.progress import silent
from wetread.tasks import find_task
from wetread.tasks.embolism.findings import EXAM_NAMES
from wetread.verbs.train.pretrain import phantom_labels, pretrain


def test_without_phantoms_networks_start_where_the_request_says(tmp_path: Path) -> None:
    request: Any = SimpleNamespace(
        phantom_recipe=None, task=find_task("hemorrhage"), weights={"hemorrhage": Path("w.pt")}
    )
    start = pretrain(request, workers=1, report=silent)
    assert start.weights == {"hemorrhage": Path("w.pt")}
    assert start.mixed is None
    assert not list(tmp_path.iterdir())


def test_masks_that_lie_beside_the_labels_of_phantoms_are_known_too(tmp_path: Path) -> None:
    task = find_task("embolism")
    header = ",".join(
        ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "pe_present_on_image",
         *EXAM_NAMES)
    )  # fmt: skip
    (tmp_path / "train.csv").write_text(f"{header}\ns,r,i,1,{','.join('0' * 9)}\n")
    for number, name in enumerate(task.phantoms.masks):
        (tmp_path / name).write_text(f"ImageId,EncodedPixels\ni,{number + 1} 2\n")
    labels = phantom_labels(task, tmp_path)
    masks = {row["finding"]: row["runs"] for row in labels.masks.iter_rows(named=True)}
    assert masks == {
        "pe_present_on_image": ["1 2"], "right_ventricle": ["2 2"], "left_ventricle": ["3 2"],
    }  # fmt: skip
    assert labels.matrix_float64(["i"], task.at("image")).tolist() == [[1.0]]
