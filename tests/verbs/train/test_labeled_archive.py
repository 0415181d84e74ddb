"""tests/verbs/train/test_labeled_archive.py: files, labels and patients meet, and are counted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.archive.index.index import build_index
from wetread.archive.rejects import RejectError
from wetread.inputs.progress import silent
from wetread.labels.table import LabelError
from wetread.outputs.nifti import write_nifti
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.study.placement import stack_placement
from wetread.study.series import series_slices
from wetread.tasks import find_task
from wetread.training.recipe_file import read_recipe
from wetread.verbs.train.labeled_archive import LabeledArchive, headers_of, open_labeled_archive
from wetread.verbs.train.request import check_request

Open = Callable[..., LabeledArchive]


@pytest.fixture
def opened(phantoms: PhantomTruth, settings: tuple[str, ...], tmp_path: Path) -> Open:
    """opened(labels, sources) -> the archive of the phantoms, packed small."""

    def run(
        labels: Path | None = None, sources: list[Path] | None = None, masks: tuple[str, ...] = ()
    ) -> LabeledArchive:
        recipe = read_recipe("compact", [*settings, "size=16"])
        request = check_request(
            find_task("hemorrhage"), recipe, sources=sources or [phantoms.images],
            out=tmp_path / "run", labels=[labels or phantoms.labels, *masks], columns=None,
            patients=None, weights=None, clear_patients=False,
        )  # fmt: skip
        (tmp_path / "run").mkdir(exist_ok=True)
        return open_labeled_archive(
            request, repair=True, as_hu=False, verify=False, workers=1, report=silent
        )

    return run


def test_a_nifti_mask_of_a_series_labels_and_draws_its_slices(
    opened: Open, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    pytest.importorskip("nibabel")
    images = build_index([phantoms.images], tmp_path / "index.parquet", workers=1).images
    rows = next(rows for rows in series_slices(images) if rows.height > 3)
    shape = (rows.height, rows["Rows"][0], rows["Columns"][0])
    mask = np.zeros(shape, np.uint8)
    mask[1:3, 4:6, 4:6] = 1
    write_nifti(tmp_path / "blood.nii.gz", mask, stack_placement(rows).affine)
    (tmp_path / "none.csv").write_text("ID,Label\n")
    given = f"{tmp_path / 'blood.nii.gz'}:subdural"
    archive = opened(tmp_path / "none.csv", masks=(given,))
    ids = rows["SOPInstanceUID"].to_list()
    values = {name: value for _, name, _, value in archive.labels.frame.iter_rows()}
    assert values == {name: float(place in (1, 2)) for place, name in enumerate(ids)}
    assert set(archive.labels.masks["id"]) == set(ids[1:3])


def test_a_mask_of_another_series_is_refused_before_slices_are_packed(
    opened: Open, tmp_path: Path
) -> None:
    pytest.importorskip("nibabel")
    write_nifti(tmp_path / "blood.nii.gz", np.zeros((3, 5, 7), np.uint8), np.eye(4)[[2, 1, 0, 3]])
    with pytest.raises(LabelError, match="no series of the archive has its grid"):
        opened(masks=(f"{tmp_path / 'blood.nii.gz'}:subdural",))
    assert (tmp_path / "run" / "index.parquet").is_file()
    assert not (tmp_path / "run" / "store").exists()


def test_every_image_and_label_is_counted_once(
    opened: Open, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    header, *rows = phantoms.labels.read_text().splitlines()
    images = sorted({row.rpartition("_")[0] for row in rows})
    kept = [row for row in rows if row.rpartition("_")[0] not in images[:3]]
    odd = [*kept, "stranger_any,1", f"{images[3]}_any,1", f"{images[3]}_any,0"]
    (tmp_path / "labels.csv").write_text("\n".join([header, *odd]) + "\n")
    archive = opened(tmp_path / "labels.csv")
    (store,) = archive.stores
    assert len(store) == archive.images.height == len(images) == archive.counts["packed_images"]
    assert archive.counts["images_without_label"] == 3
    assert archive.counts["labelled_images"] == len(images) - 3
    assert archive.counts["labels_without_image"] == 1
    assert archive.counts["conflicting_labels"] == 1
    assert archive.counts["files"] == archive.counts["instances"] == len(images)
    assert archive.identity.proven
    assert {"patient", "patient_order"} <= set(store.slices.columns)
    listed = pl.read_csv(tmp_path / "run" / "conflicting_labels.csv")
    assert listed["finding"].to_list() == ["any"]
    assert pl.read_csv(tmp_path / "run" / "refused_masks.csv").is_empty()


def test_files_that_are_gone_are_at_fault_where_no_labelled_image_can_be_read(
    opened: Open, phantoms: PhantomTruth, tmp_path: Path
) -> None:
    file = tmp_path / "a.dcm"
    file.write_bytes(next(phantoms.images.rglob("*.dcm")).read_bytes())
    build_index([file], tmp_path / "i.parquet", workers=1)
    file.unlink()
    with pytest.raises(RejectError, match="the 1 images that have a label cannot be read"):
        opened(sources=[tmp_path / "i.parquet"])


def test_every_packed_slice_has_its_own_header_and_the_slices_of_its_series(
    phantoms: PhantomTruth, tmp_path: Path
) -> None:
    images = build_index([phantoms.images], tmp_path / "index.parquet", workers=1).images
    some = images.sample(fraction=0.5, seed=0, shuffle=True).select("SOPInstanceUID", "size")
    slices = pl.concat([some, pl.DataFrame({"SOPInstanceUID": ["none"], "size": [None]})])
    found = headers_of(slices, images).table
    assert found["size"].to_list() == slices["size"].to_list()
    count = dict(images.group_by("SeriesInstanceUID").len().iter_rows())
    series = dict(images.select("SOPInstanceUID", "SeriesInstanceUID").iter_rows())
    told = [count[series[uid]] for uid in some["SOPInstanceUID"]]
    assert found["slices_of_series"].to_list() == [*told, None]
