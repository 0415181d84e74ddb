"""tests/verbs/test_export.py: an export resumes, counts what it refuses, burns nothing in, and says
what it wrote."""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.uid import SecondaryCaptureImageStorage

from wetread.exports.annotate import annotation_lines
from wetread.exports.formats import EXPORT_FORMATS, ExportOptions
from wetread.phantoms.dicom.archive import PhantomTruth
from wetread.verbs.export import export
from wetread.verbs.show import ShownFile, show

pytestmark = pytest.mark.usefixtures("in_this_process")
NAME = "Secret^Patient"
Write = Callable[..., Path]
Everything = Callable[[Path], dict[str, bytes]]


def manifest_of(out: Path) -> pl.DataFrame:
    return pl.read_csv(out / "manifest.csv", infer_schema_length=None)


@pytest.mark.parametrize("format", EXPORT_FORMATS)
def test_every_file_is_in_the_manifest_with_its_checksum(
    format: str, write_ct: Write, tmp_path: Path, everything: Everything
) -> None:
    out = tmp_path / "out"
    done = export(format, [write_ct(4), write_ct(3)][:1], out)
    manifest = manifest_of(out)
    written = {name for name in everything(out) if name.endswith(EXPORT_FORMATS[format].ending)}
    assert set(manifest["file"]) == written
    assert done.files == len(written) == (7 if EXPORT_FORMATS[format].content == "slice" else 2)
    assert done.slices == manifest["slices"].sum() == 7
    for row in manifest.iter_rows(named=True):
        content = (out / row["file"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        assert row["bytes"] == len(content)
        assert row["file"].startswith("1.7/1.8.")
    assert all(b"SECRET7" not in value for value in everything(out).values())


def test_a_second_run_writes_nothing_anew_and_a_lost_file_again(
    write_ct: Write, tmp_path: Path, everything: Everything
) -> None:
    source, out = write_ct(20), tmp_path / "out"
    export("png", [source], out, window="bsb")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert len(before) == 20
    lost = out / "1.7/1.8.0/1.9.0.18.png"
    lost.unlink()
    whole = everything(out)
    export("png", [source], out, window="bsb")
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*.png")}
    assert set(after) == set(before)
    kept = [path for path in before if after[path] == before[path]]
    assert len(kept) >= 16  # the part without the lost file
    assert {name: data for name, data in everything(out).items() if name in whole} == whole


def test_a_changed_source_is_exported_again(write_ct: Write, tmp_path: Path) -> None:
    source, out = write_ct(2), tmp_path / "out"
    export("png", [source], out, depth=16)
    first = manifest_of(out)
    file = source / "0-001.dcm"
    dataset = pydicom.dcmread(file)
    dataset.PixelData = np.full((20, 24), 7, np.int16).tobytes()
    dataset.save_as(file)
    os.utime(file, ns=(1, 1))
    export("png", [source], out, depth=16)
    second = manifest_of(out)
    assert second["file"].to_list() == first["file"].to_list()
    assert second["max"].to_list() == [40.0, -1017.0]


def test_pixels_replaced_with_size_and_time_kept_are_exported_again(
    write_ct: Write, tmp_path: Path
) -> None:
    src, out = write_ct(2), tmp_path / "out"
    export("png", [src], out, workers=1)
    before = manifest_of(out)["sha256"].to_list()
    changed = sorted(src.iterdir())[1]
    status, dataset = changed.stat(), pydicom.dcmread(changed)
    dataset.PixelData = np.full((20, 24), 1024 + 70, np.int16).tobytes()
    dataset.save_as(changed)
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert changed.stat().st_size == status.st_size
    export("png", [src], out, workers=1)
    now = manifest_of(out)
    assert now["sha256"].to_list()[0] == before[0]
    assert now["sha256"].to_list()[1] != before[1]
    assert now["max"].to_list()[1] == 70.0


def test_a_picture_of_a_file_since_removed_is_not_left_beside_new_ones(
    write_ct: Write, tmp_path: Path
) -> None:
    src, out = write_ct(3), tmp_path / "out"
    export("png", [src], out, workers=1)
    (out / "mine.txt").write_text("mine")
    sorted(src.iterdir())[0].unlink()
    export("png", [src], out, workers=1)
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*.png")) == sorted(
        manifest_of(out)["file"]
    )
    assert manifest_of(out).height == 2
    assert (out / "mine.txt").exists()


def test_other_sources_in_the_same_folder_keep_the_manifest_whole(
    write_ct: Write, tmp_path: Path
) -> None:
    source, out = write_ct(3), tmp_path / "out"
    write_ct(2)
    export("npy", sorted(source.glob("0-*.dcm")), out)
    export("npy", sorted(source.glob("1-*.dcm")), out)
    assert manifest_of(out)["file"].to_list() == ["1.7/1.8.0.npy", "1.7/1.8.1.npy"]
    assert pl.read_csv(out / "slices.csv").height == 5


def test_other_settings_need_another_folder(write_ct: Write, tmp_path: Path) -> None:
    source, out = write_ct(2), tmp_path / "out"
    export("png", [source], out, window="bsb")
    with pytest.raises(ValueError, match=r"window 'bsb', now 'lung'.*another folder"):
        export("png", [source], out, window="lung")


def test_what_cannot_be_read_is_refused_and_the_rest_is_written(
    write_ct: Write, tmp_path: Path
) -> None:
    source, out = write_ct(4), tmp_path / "out"
    file = source / "0-002.dcm"
    file.write_bytes(file.read_bytes()[:-100])
    (source / "note.txt").write_text("no DICOM")
    done = export("png", [source], out)
    assert (done.files, done.refused) == (3, 1)
    rejects = pl.read_csv(out / "rejects.csv")
    assert set(rejects["reason"]) == {"truncated_pixels", "not_dicom"}
    assert manifest_of(out).height == 3


@pytest.mark.parametrize("format", ["gif", "npy"])
def test_a_slice_that_cannot_be_decoded_is_left_out_of_its_stack_and_named(
    format: str, write_ct: Write, tmp_path: Path
) -> None:
    source, out = write_ct(4), tmp_path / "out"
    file = source / "0-003.dcm"
    dataset = pydicom.dcmread(file)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.RLELossless
    dataset.PixelData = pydicom.encaps.encapsulate([b"\x01\0\0\0 no run lengths"])
    dataset["PixelData"].is_undefined_length = True
    dataset.save_as(file)
    done = export(format, [source], out)
    assert (done.files, done.slices, done.refused) == (1, 3, 1)
    assert pl.read_csv(out / "rejects.csv")["path"].to_list() == [str(file)]


def test_fractional_hu_are_refused_as_png_and_kept_as_tiff(write_ct: Write, tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    source = write_ct(2, RescaleIntercept=-1024.5)
    done = export("png", [source], tmp_path / "png", depth=16)
    assert (done.files, done.refused) == (0, 2)
    assert "tiff keeps them" in (tmp_path / "png" / "rejects.csv").read_text()
    done = export("tiff", [source], tmp_path / "tiff", depth=16)
    assert (done.files, done.refused) == (2, 0)
    rows = manifest_of(tmp_path / "tiff").sort("SOPInstanceUID")
    first = tifffile.imread(tmp_path / "tiff" / rows["file"][0])
    assert set(np.unique(first)) == {-0.5, 39.5}


def test_a_stack_without_one_affine_is_no_nifti_file_unless_it_is_resampled(
    write_ct: Write, tmp_path: Path
) -> None:
    source = write_ct(6)
    (source / "0-003.dcm").unlink()
    done = export("nifti", [source], tmp_path / "plain")
    assert (done.files, done.refused) == (0, 1)
    told = (tmp_path / "plain" / "rejects.csv").read_text()
    assert "gap" in told
    assert "give a spacing" in told
    done = export("nifti", [source], tmp_path / "even", spacing_mm=(2.5, 1, 1))
    row = manifest_of(tmp_path / "even").row(0, named=True)
    assert (row["slices"], row["rows"], row["columns"]) == (11, 10, 12)
    spacings = ("slice_spacing_mm", "row_spacing_mm", "column_spacing_mm")
    assert [row[name] for name in spacings] == [2.5, 1, 1]


def test_a_mask_leaves_air_outside(write_ct: Write, tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    source, inside = write_ct(3), np.zeros((3, 20, 24), bool)
    inside[1, 5:9, 6:20] = True
    np.save(tmp_path / "mask.npy", inside)
    export("npy", [source], tmp_path / "npy", mask=str(tmp_path / "mask.npy"))
    values = np.load(tmp_path / "npy/1.7/1.8.0.npy")
    assert (values[~inside] == -1024).all()
    assert set(np.unique(values[inside])) == {10, 40}
    export("nifti", [source], tmp_path / "nii")  # the volume itself lies where it lies
    image = nibabel.load(tmp_path / "nii/1.7/1.8.0.nii.gz")
    mask = nibabel.Nifti1Image(inside.transpose(2, 1, 0).astype(np.uint8), image.affine)
    nibabel.save(mask, tmp_path / "mask.nii.gz")
    export("npy", [source], tmp_path / "again", mask=str(tmp_path / "mask.nii.gz"))
    np.testing.assert_array_equal(np.load(tmp_path / "again/1.7/1.8.0.npy"), values)
    moved = image.affine.copy()
    moved[0, 3] += 1
    nibabel.save(nibabel.Nifti1Image(mask.dataobj, moved), tmp_path / "moved.nii.gz")
    with pytest.raises(ValueError, match=r"lies 1\.0 mm beside the volume"):
        export("npy", [source], tmp_path / "no", mask=str(tmp_path / "moved.nii.gz"))


def test_another_mask_under_the_same_name_is_taken_up(write_ct: Write, tmp_path: Path) -> None:
    source, mask = write_ct(2), tmp_path / "mask.npy"
    for there in (0, 1):
        np.save(mask, np.full((2, 20, 24), there, bool))
        export("npy", [source], tmp_path / "out", mask=mask)
        values = np.load(tmp_path / "out/1.7/1.8.0.npy")
        assert (values == -1024).all() == (there == 0)


def test_a_format_whose_library_is_absent_says_what_to_install(
    write_ct: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nibabel", None)
    with pytest.raises(ValueError, match=r"pip install 'wetread\[pictures\]'"):
        export("nifti", [write_ct(2)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_mask_of_another_shape_is_refused(write_ct: Write, tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", np.zeros((3, 20, 23), bool))
    with pytest.raises(ValueError, match="the volume's own space"):
        export("npy", [write_ct(3)], tmp_path / "out", mask=str(tmp_path / "mask.npy"))


def test_nothing_of_a_patient_is_drawn_unless_it_is_asked_for(
    write_ct: Write, tmp_path: Path
) -> None:
    source = write_ct(2)
    row = {"path": str(source / "0-000.dcm"), "member": None}
    assert annotation_lines(row, "header") == ["CT", "position 0.0\\0.0\\0.0", "kV 120.0"]
    told = " ".join(annotation_lines(row, "identifiers"))
    assert NAME in told
    assert "SECRET7" in told
    shapes = {}
    for annotate in ("none", "header", "identifiers"):
        export("png", [source], tmp_path / annotate, window="bsb", annotate=annotate)
        picture = cv2.imread(str(tmp_path / annotate / "1.7/1.8.0/1.9.0.0.png"))
        assert picture is not None
        shapes[annotate] = picture.shape
        np.testing.assert_array_equal(picture[:20], plain_bsb())
    assert shapes["none"] == (20, 24, 3)
    assert 20 < shapes["header"][0] < shapes["identifiers"][0]
    assert manifest_of(tmp_path / "header")["rows"].to_list() == [shapes["header"][0]] * 2


def test_frames_of_one_file_are_counted_from_1(write_ct: Write, tmp_path: Path) -> None:
    pixels = np.arange(3, dtype=np.int16).repeat(480) + 1024
    source = write_ct(
        1,
        NumberOfFrames=3,
        PixelData=pixels.tobytes(),
        SOPClassUID=SecondaryCaptureImageStorage,
    )
    export("png", [source], tmp_path / "out", depth=16)
    rows = manifest_of(tmp_path / "out")
    assert rows["frame"].to_list() == [1, 2, 3]
    assert [Path(name).name for name in rows["file"]] == [
        f"1.9.0.0.frame-000{k}.png" for k in (1, 2, 3)
    ]
    assert rows["min"].to_list() == [0, 1, 2]


def test_neighbours_are_seen_across_the_edges_of_parts(write_ct: Write, tmp_path: Path) -> None:
    """Below is red, above is blue; at the ends the slice itself."""
    out = tmp_path / "out"
    export("png", [write_ct(20)], out, window="100/200", neighbors=1)
    for k in range(20):
        picture = cv2.imread(str(out / f"1.7/1.8.0/1.9.0.{k}.png"))
        assert picture is not None
        blue, green, red = picture[0, 0].tolist()
        options = [round(255 * min(10 * n, 200) / 200) for n in (max(k - 1, 0), k, min(k + 1, 19))]
        assert [red, green, blue] == pytest.approx(options, abs=1)


def test_frames_are_evenly_spread_over_the_stack(write_ct: Write, tmp_path: Path) -> None:
    iio = pytest.importorskip("imageio.v3")
    out = tmp_path / "out"
    export("gif", [write_ct(9)], out, frames=3)
    assert pl.read_csv(out / "slices.csv")["position_mm"].to_list() == [0, 20, 40]
    assert len(iio.imread(out / "1.7/1.8.0.gif", mode="L")) == 3


def test_a_crop_keeps_its_place(write_ct: Write, tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    source = write_ct(3)
    export("nifti", [source], tmp_path / "whole")
    export("nifti", [source], tmp_path / "part", crop="4,10,8,20")
    whole, part = (nibabel.load(tmp_path / n / "1.7/1.8.0.nii.gz") for n in ("whole", "part"))
    assert part.shape == (12, 6, 3)
    np.testing.assert_allclose(
        (part.affine @ (0, 0, 0, 1))[:3], (whole.affine @ (8, 4, 0, 1))[:3], atol=1e-5
    )
    np.testing.assert_array_equal(part.dataobj[...], whole.dataobj[8:20, 4:10])


def test_a_head_is_found_once_for_its_series(phantoms: PhantomTruth, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = export("png", [phantoms.images], out, window="brain", crop="head", size=48)
    rows = manifest_of(out)
    assert done.files == rows.height
    assert set(rows["rows"]) == set(rows["columns"]) == {48}
    by_series = rows.group_by("SeriesInstanceUID").agg(pl.col("row_spacing_mm").n_unique())
    assert by_series["row_spacing_mm"].to_list() == [1] * by_series.height


def plain_bsb() -> np.ndarray:
    """(20, 24, 3) blue, green, red of the first slice of `write`, by hand: HU 0 and 40."""
    left, right = (0, 0.1, 0.2), (0.5, 0.3, 0.22)
    row = np.rint(255 * np.array([left] * 12 + [right] * 12)[:, ::-1])
    return np.broadcast_to(row, (20, 24, 3))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"format": "bmp"}, "no format 'bmp'"),
        ({"format": "npy", "window": "lung"}, "`window` is for pictures and films"),
        ({"format": "png", "spacing_mm": (1, 1, 1)}, "`spacing_mm` is for npy, npz and nifti"),
        ({"format": "jpeg", "depth": 16}, "`depth=16` is for png and tiff"),
        ({"format": "png", "depth": 16, "window": "lung"}, "`window` is for 8 bits"),
        ({"format": "png", "depth": 16, "size": 64}, "keeps a slice's values"),
        ({"format": "png", "depth": 12}, "`depth` is 8 or 16"),
        ({"format": "png", "quality": 5}, "`quality` is for jpeg and mp4"),
        ({"format": "gif", "window": "bsb_slicewise"}, "a slicewise mode is for pictures"),
        ({"format": "png", "window": "bsb", "neighbors": 1}, "has 9"),
        ({"format": "png", "window": "pe-3slice", "neighbors": 1}, "has all its channels"),
        ({"format": "png", "window": "gradient", "neighbors": 1}, "has all its channels"),
        ({"format": "png", "depth": 16, "neighbors": 1}, "keeps a slice's values"),
        ({"format": "png", "window": "nonsense"}, "no window 'nonsense'"),
        ({"format": "png", "crop": "1,2,3"}, "`crop` is none, head, or"),
        ({"format": "png", "crop": "5,5,1,2"}, "row0 < row1"),
        ({"format": "npy", "spacing_mm": (1, 0, 1)}, "`spacing_mm` is in mm"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ExportOptions(**settings)


@pytest.mark.parametrize(
    ("tags", "words", "issue"),
    [
        ({"WindowWidth": 0.5, "RescaleSlope": 0.01}, "40/0.5/linear_exact of the file", ""),
        ({"VOILUTFunction": "linear"}, "40/80/linear of the file", ""),
        (
            {"VOILUTFunction": "CUBIC"},
            "full range: the file's window cannot be used: (0028,1056) VOILUTFunction is 'CUBIC', "
            "none of LINEAR, LINEAR_EXACT, SIGMOID",
            "window_unusable",
        ),
        (
            {"WindowWidth": 0},
            "full range: the file's window cannot be used: (0028,1051) WindowWidth is 0",
            "window_unusable",
        ),
        (
            {"WindowWidth": ""},
            "full range: the file's window cannot be used: (0028,1051) WindowWidth is absent",
            "window_unusable",
        ),
        ({"WindowWidth": "", "WindowCenter": ""}, "full range: the file names no window", ""),
    ],
)
@pytest.mark.parametrize("format", ["png", "gif"])
@pytest.mark.filterwarnings("ignore:.*VR CS:UserWarning")
def test_the_manifest_says_of_a_window_what_is_so(
    format: str, tags: dict[str, Any], words: str, issue: str, write_ct: Write, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(format, [write_ct(1, **tags)], out, workers=1)
    row = manifest_of(out).row(0, named=True)
    expected = words if format == "png" else f"{words}, one for all frames"
    assert row["window"] == expected
    assert ("window_unusable" in (row["issues"] or "").split()) == bool(issue)
    shown = show(tmp_path / "source" / "0-000.dcm")
    assert isinstance(shown, ShownFile)
    assert ("window_unusable" in [one.name for one in shown.issues]) == bool(issue)
