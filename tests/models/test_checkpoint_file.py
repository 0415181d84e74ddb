"""tests/models/test_checkpoint_file.py: only whole files of tensors and plain values are read."""

import zipfile
from pathlib import Path

import pytest
import torch

from wetread.archive.files.damaged import DamagedFileError
from wetread.models.checkpoint_file import load_checkpoint, require_finite, tensors_in

CONTENT = {"state": {"weight": torch.arange(6.0).reshape(2, 3)}, "steps": [1, torch.ones(2)]}


def saved(folder: Path, content: object = CONTENT) -> Path:
    torch.save(content, folder / "run.pt")
    return folder / "run.pt"


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    content = load_checkpoint(saved(tmp_path), "a checkpoint")
    assert torch.equal(content["state"]["weight"], CONTENT["state"]["weight"])  # type: ignore[index]
    assert content["steps"][0] == 1


def test_tensors_are_named_by_where_they_stand() -> None:
    named = dict(tensors_in(CONTENT))
    assert set(named) == {"state.weight", "steps.1"}
    assert torch.equal(named["steps.1"], torch.ones(2))
    assert not list(tensors_in({"steps": 3, "name": "text"}))


def test_an_absent_an_empty_and_a_cut_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.pt", "a checkpoint")
    path = saved(tmp_path)
    whole = path.read_bytes()
    for content, found in ((b"", "empty, 0 bytes"), (whole[:200], "cut"), (b"text", "not a file")):
        path.write_bytes(content)
        with pytest.raises(DamagedFileError, match=found):
            load_checkpoint(path, "a checkpoint")


def test_a_compressed_member_that_unpacks_to_more_than_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("archive/data.pkl", b"0" * 1_000_000)
    with pytest.raises(DamagedFileError, match="unpacks to more than its"):
        load_checkpoint(path, "a checkpoint")


def test_a_tensor_laid_over_a_smaller_store_is_refused(tmp_path: Path) -> None:
    wide = torch.zeros(1).expand(10)
    with pytest.raises(DamagedFileError, match="'wide' says it is larger than it is"):
        load_checkpoint(saved(tmp_path, {"wide": wide}), "a checkpoint")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_named_by_their_tensor(tmp_path: Path, value: float) -> None:
    content = {
        "good": torch.ones(2),
        "bad": torch.tensor([1.0, value]),
        "count": torch.ones(2).int(),
    }
    with pytest.raises(DamagedFileError, match="'bad' holds values that are no numbers"):
        require_finite(tmp_path, "a checkpoint", content)
    require_finite(tmp_path, "a checkpoint", {"good": torch.ones(2)})
