"""tests/verbs/test_phantom.py: a phantom archive follows its seed alone, and says what it holds."""

from pathlib import Path

import pytest

from wetread.tasks import UnknownTaskError
from wetread.verbs.phantom import PhantomArchive, phantom


def images(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*.dcm"))}


def test_the_same_seed_gives_the_same_files_and_the_counts_are_those_on_disk(
    tmp_path: Path,
) -> None:
    made = [
        phantom("pneumothorax", tmp_path / name, studies=2, seed=seed, workers=1)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    first, second, other = (images(archive.out) for archive in made)
    assert made[0] == PhantomArchive(tmp_path / "a", 2, len(first))
    assert made[0].to_dict() == {"studies": 2, "images": len(first)}
    assert first == second != other


def test_an_unknown_task_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownTaskError, match="hemorrhage"):
        phantom("headache", tmp_path / "out")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").glob("*.dcm")) == []
