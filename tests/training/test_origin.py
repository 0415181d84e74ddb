"""tests/training/test_origin.py: phantoms are told from patients, whoever holds their files."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.uid import UID

from wetread.phantoms.angiogram.archive import write_angiogram_archive
from wetread.phantoms.head.archive import write_head_archive
from wetread.phantoms.radiograph.archive import write_radiograph_archive
from wetread.prediction.cautions import find_cautions
from wetread.training.data import LabeledSlices, Split
from wetread.training.origin import count_origins, is_phantoms_only, phantom_studies
from wetread.verbs.index import index

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # identifiers that are no legal UIDs


def archive(folder: Path, write: Callable[..., object] = write_head_archive) -> Path:
    write(folder, 1, 5, size=64, progress=lambda done, total: None)
    return folder


def images(folder: Path, out: Path) -> pl.DataFrame:
    return index([folder], out / "index.parquet", workers=1).images


def save_as_of_another_program(file: Path) -> None:
    data = pydicom.dcmread(file)
    data.file_meta.ImplementationClassUID = UID("1.2.3.4")
    data.save_as(file)


@pytest.mark.parametrize(
    "write", [write_head_archive, write_radiograph_archive, write_angiogram_archive]
)
def test_the_studies_of_every_phantom_archive_are_known_for_phantoms(
    write: Callable[..., object], tmp_path: Path
) -> None:
    folder = archive(tmp_path / "phantoms", write)
    rows = images(folder, tmp_path)
    makers = {
        pydicom.dcmread(path, stop_before_pixels=True).file_meta.ImplementationVersionName
        for path in rows["path"]
    }
    assert makers == {"WETREAD-PHANTOM"}
    assert phantom_studies(rows) == set(rows["StudyInstanceUID"])


def test_a_study_with_one_file_of_another_maker_is_no_phantom(tmp_path: Path) -> None:
    folder = archive(tmp_path / "phantoms")
    save_as_of_another_program(max(folder.rglob("*.dcm")))
    assert phantom_studies(images(folder, tmp_path)) == frozenset()


def test_real_studies_are_no_phantoms(real_data: Path, tmp_path: Path) -> None:
    rows = images(real_data / "chest_ct", tmp_path)
    assert rows.height
    assert phantom_studies(rows) == frozenset()


def test_what_was_learned_from_and_scored_on_is_counted_by_part() -> None:
    columns = {
        "StudyInstanceUID": ["a", "a", "b", "c", "c", "d"],
        "patient": ["1", "1", "1", "2", "2", "3"],
    }
    # The rows of a store, of which the first has no label.
    slices = pl.DataFrame(
        {name: ["d" if name[0] == "S" else "4", *v] for name, v in columns.items()}
    )
    store = SimpleNamespace(slices=slices)
    data = cast(LabeledSlices, SimpleNamespace(store=store, rows=np.arange(1, 7)))
    split = Split("held_out", np.array([0, 1, 2]), np.array([5]), np.array([3, 4]))
    told = count_origins(data, [split], frozenset("ac"))
    assert told == {
        "learned_from": {"images": 3, "studies": 2, "patients": 1, "phantom_studies": 1},
        "chosen_on": {"images": 1, "studies": 1, "patients": 1, "phantom_studies": 0},
        "scored_on": {"images": 2, "studies": 1, "patients": 1, "phantom_studies": 1},
    }
    labeled_by_networks = count_origins(data, [split], frozenset("ac"), [0])["learned_from"]
    assert labeled_by_networks == {
        "images": 4, "studies": 3, "patients": 2, "phantom_studies": 1,
    }  # fmt: skip
    assert not is_phantoms_only(told["learned_from"])
    assert is_phantoms_only(told["scored_on"])


def about(learned: tuple[int, int], scored: tuple[int, int]) -> dict[str, Any]:
    names = ("studies", "phantom_studies")
    parts = {"learned_from": learned, "scored_on": scored}
    return {name: dict(zip(names, part, strict=True)) for name, part in parts.items()}


PHANTOMS, PATIENTS = about((9, 9), (3, 3)), about((9, 0), (3, 0))


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ([PHANTOMS], ("learned_from_phantoms_alone", "never_scored_on_patients")),
        ([PATIENTS], ()),
        ([about((9, 9), (3, 1))], ("learned_from_phantoms_alone",)),  # scored on two patients
        ([about((9, 8), (3, 3))], ("never_scored_on_patients",)),
        ([PHANTOMS, PATIENTS], ()),
        ([PHANTOMS, {"task": "any"}], ("training_data_unknown",)),  # a run of before
    ],
)
def test_cautions_follow_from_what_the_runs_learned_from(
    runs: list[dict[str, Any]], told: tuple[str, ...]
) -> None:
    assert find_cautions(runs) == told
