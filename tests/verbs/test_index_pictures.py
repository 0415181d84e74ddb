"""tests/verbs/test_index_pictures.py: films and volumes without a header are sources, too."""

from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

import wetread
from wetread.archive.pixels.stored_pixels import read_stored
from wetread.study.series import order_slices
from wetread.study.slices import slice_from_row

TASK = """
modalities = ["DX"]
[[findings]]
name = "bright"
[[labels]]
id = "file"
id_of = "file"
[recipe]
name = "compact"
size = 32
windows = ["display"]
epochs = 1
[recipe.runtime]
device = "cpu"
"""


def films(folder: Path) -> dict[str, np.ndarray]:
    """Sixteen films, half of them with a bright spot; one in a folder of its own, one a JPEG."""
    rng, pixels = np.random.default_rng(4), {}
    for number in range(16):
        one = rng.integers(40, 90, (48, 40), np.uint8)
        if number % 2:
            one[20:30, 10:20] = 250
        name = f"f{number:02d}" if number else "deep/f00"
        path = folder / f"{name}.{'jpg' if number == 3 else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), one)
        pixels[name] = one
    return pixels


def test_png_films_are_indexed_with_the_given_modality_and_read_exactly(tmp_path: Path) -> None:
    pixels, out = films(tmp_path / "films"), tmp_path / "index.parquet"
    refused = wetread.index(tmp_path / "films", out, workers=1)
    assert refused.counts()["by_reason"] == {"not_dicom": 16}
    assert "PNG without a DICOM header" in refused.rejects["detail"].str.join(" ").item()
    found = wetread.index(tmp_path / "films", out, workers=1, pictures="DX")
    assert found.counts()["without_header"] == found.counts()["instances"] == 16
    for row in found.images.iter_rows(named=True):
        name = row["SOPInstanceUID"]
        if name != "f03":
            np.testing.assert_array_equal(read_stored(row), pixels[name])
        assert row["Modality"] == "DX"
        assert row["StudyInstanceUID"] == name
    other = wetread.index(tmp_path / "films", out, workers=1, pictures="CR")
    assert set(other.images["Modality"]) == {"CR"}
    again = wetread.index(tmp_path / "films", out, workers=1)
    assert again.counts()["rejects"] == 16
    ct = wetread.index(tmp_path / "films", out, workers=1, pictures="CT")
    assert ct.counts()["by_reason"] == {"wrong_kind": 16}
    assert ct.rejects["detail"].str.contains("lost its Hounsfield units").all()
    last = wetread.index(tmp_path / "films", out, workers=1, pictures="DX")
    assert last.counts()["instances"] == 16
    inner = wetread.index(
        tmp_path / "films" / "deep", tmp_path / "d.parquet", workers=1, pictures="DX"
    )
    assert inner.images["SOPInstanceUID"].to_list() == ["f00"]
    outer = wetread.index(tmp_path / "films", tmp_path / "d.parquet", workers=1, pictures="DX")
    assert "deep/f00" in outer.images["SOPInstanceUID"].to_list()
    both = wetread.index(
        [tmp_path / "films", tmp_path / "films" / "deep"], tmp_path / "b.parquet", workers=1,
        pictures="DX",
    )  # fmt: skip
    assert both.counts()["rejects"] == 0


def test_films_are_learned_read_scored_and_submitted_by_their_names(tmp_path: Path) -> None:
    films(tmp_path / "films")
    index, labels, task = (tmp_path / name for name in ("i.parquet", "l.csv", "mine.toml"))
    wetread.index(tmp_path / "films", index, workers=1, pictures="DX")
    rows = "".join(f"f{number:02d},{number % 2}\n" for number in range(16))
    labels.write_text(f"file,bright\n{rows}")
    task.write_text(TASK)
    result = wetread.train(str(task), index, tmp_path / "run", labels=labels, folds=2, workers=1)
    assert result.counts["labelled_images"] == 16
    wetread.predict(index, tmp_path / "run", tmp_path / "out", workers=1)
    rows_of = pl.read_csv(tmp_path / "out" / "submission.csv")["ID"].to_list()
    names = ["deep/f00", *(f"f{number:02d}" for number in range(1, 16))]
    assert rows_of == [f"{name}_bright" for name in names]
    patients, files = tmp_path / "patients.csv", tmp_path / "files.csv"
    patients.write_text("image,patient\n" + "".join(f"f{n:02d}.png,P{n // 2}\n" for n in range(16)))
    again = wetread.train(
        str(task), index, tmp_path / "run2", labels=labels, patients=patients, folds=2, workers=1
    )
    assert again.identity.unit == "patient"
    assert pl.read_parquet(tmp_path / "run2" / "predictions.parquet")["patient"].n_unique() == 8
    files.write_text(labels.read_text().replace(",0", ".png,0").replace(",1", ".png,1"))
    submitted = wetread.score(str(task), files, tmp_path / "out" / "submission.csv")
    assert (submitted.missing, submitted.too_many) == ((), ())
    scored = wetread.evaluate_predictions(tmp_path / "out", labels=labels, data=index)
    assert scored.scores.find("roc_auc", level="image")[0].patients == 16
    with pytest.raises(ValueError, match="the archive has no image that the task reads"):
        wetread.train(str(task), tmp_path / "films", tmp_path / "no", labels=labels, workers=1)


def test_a_volume_has_the_values_and_places_of_the_dicom_it_was_made_of(
    real_data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("nibabel", reason="NIfTI files need the extra pictures (nibabel)")
    source = real_data / "chest_ct"
    if not source.is_dir():
        pytest.skip(f"no chest CT at {source}")
    wetread.export("nifti", source, tmp_path / "volumes", workers=1)
    dicom = wetread.index(source, tmp_path / "d.parquet", workers=1).images
    found = wetread.index(tmp_path / "volumes", tmp_path / "v.parquet", workers=1, pictures="CT")
    slices, others = order_slices(found.images), order_slices(dicom)
    assert slices.height == others.height
    for row, other in list(zip(slices.rows(named=True), others.rows(named=True), strict=True))[::9]:
        one, same = slice_from_row(row), slice_from_row(other)
        np.testing.assert_array_equal(one.values(), same.values())
        assert one.unit == same.unit == "HU"
        for name in ("position_mm", "orientation"):
            np.testing.assert_allclose(row[name], other[name], atol=1e-3)


VOLUMES = """
modalities = ["CT"]
[[findings]]
name = "bright"
level = "study"
[[labels]]
id = "file"
id_of = "file"
[recipe]
name = "series-compact"
size = 32
epochs = 1
[recipe.series]
epochs = 2
[recipe.joint]
epochs = 1
slices = 4
[recipe.runtime]
device = "cpu"
"""


def test_volumes_are_learned_by_the_study_that_each_file_is(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="NIfTI files need the extra pictures (nibabel)")
    rng = np.random.default_rng(0)
    for number in range(12):
        voxels = rng.integers(-1000, -900, (40, 36, 6)).astype(np.int16)
        voxels[8:30, 8:30] = 30
        if number % 2:
            voxels[12:20, 12:20, 3] = 300
        (tmp_path / "v" / f"site{number % 3}").mkdir(parents=True, exist_ok=True)
        name = tmp_path / "v" / f"site{number % 3}" / f"v{number:02d}.nii.gz"
        nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 1.0, 5.0, 1.0])), name)
    labels, task, index = (tmp_path / one for one in ("l.csv", "mine.toml", "i.parquet"))
    labels.write_text("file,bright\n" + "".join(f"v{n:02d}.nii.gz,{n % 2}\n" for n in range(12)))
    wetread.index(tmp_path / "v", index, workers=1, pictures="CT")
    drafted = tmp_path / "draft.toml"
    wetread.new_task(labels, drafted, data=index)
    assert 'level = "study"  # most files hold a whole volume' in drafted.read_text()
    task.write_text(VOLUMES)
    (count,) = wetread.check_task(drafted, labels, data=index).counts
    assert (count.level, count.positive, count.negative, count.unknown) == ("study", 6, 6, 0)
    result = wetread.train(str(task), index, tmp_path / "run", labels=labels, folds=2, workers=1)
    assert result.counts["labelled_by_study"] == 72
    patients = tmp_path / "patients.csv"
    patients.write_text("image,patient\n" + "".join(f"v{n:02d}.nii.gz,P{n}\n" for n in range(12)))
    by_volume = wetread.train(
        str(task), index, tmp_path / "run2", labels=labels, patients=patients, folds=2, workers=1
    )
    assert by_volume.identity.unit == "patient"
    assert pl.read_parquet(tmp_path / "run2" / "predictions.parquet")["patient"].n_unique() == 12
    wetread.predict(index, tmp_path / "run", tmp_path / "out", workers=1)
    submitted = wetread.score(str(task), labels, tmp_path / "out" / "submission.csv")
    assert (submitted.missing, submitted.too_many) == ((), ())
    rows = pl.read_csv(tmp_path / "out" / "submission.csv")["ID"].to_list()
    assert sorted(rows) == sorted(f"site{n % 3}/v{n:02d}_bright" for n in range(12))
