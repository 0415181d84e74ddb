"""tests/survey/test_pixel_copies.py: planted copies of all kinds are found, neighbors are not."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pydicom
import pytest
from pydicom.uid import generate_uid

from wetread.archive.index.index import build_index
from wetread.phantoms.angiogram.archive import write_angiogram_archive
from wetread.phantoms.head.archive import write_head_archive
from wetread.phantoms.radiograph.archive import write_radiograph_archive
from wetread.survey.pixel_copies import (
    EXACT_SCHEMA,
    SIMILAR_SCHEMA,
    PixelCopies,
    same_pixels,
    same_pixels_across,
)

# The competition's identifiers, which head phantoms have, are none of the standard's.
pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR UI")

Change = Callable[[np.ndarray], np.ndarray]
ARCHIVES = {
    "head": (write_head_archive, 2, 256),
    "angiogram": (write_angiogram_archive, 1, 192),
    "film": (write_radiograph_archive, 8, 256),
}
KINDS = tuple(ARCHIVES)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    """The images of a small archive of each kind."""
    found = {}
    for kind, (write, studies, size) in ARCHIVES.items():
        out = tmp_path_factory.mktemp(kind)
        truth = write(out, studies, 3, size=size, progress=lambda done, total: None)
        found[kind] = index(truth.images, out)
    return found


def index(folder: Path, out: Path) -> pl.DataFrame:
    return build_index([folder], out / "index.parquet", workers=1).images


def middle(images: pl.DataFrame) -> str:
    """The path of an image in the midst of its series."""
    return images.sort("StudyInstanceUID", "position_mm")["path"][images.height // 4]


def near_slices(images: pl.DataFrame, path: str) -> pl.DataFrame:
    """The image of a path and some before and after it."""
    images = images.sort("StudyInstanceUID", "position_mm")
    place = images["path"].to_list().index(path)
    return images[max(0, place - 5) : place + 6]


def plant(path: str, folder: Path, change: Change, *, same_uid: bool = False) -> None:
    """Write a changed copy of a file, as values in gray, under other UIDs."""
    dataset = pydicom.dcmread(path)
    values = dataset.pixel_array.astype(np.float64)
    values = values * float(dataset.get("RescaleSlope", 1))
    stored = change(values + float(dataset.get("RescaleIntercept", 0)))
    eight = stored.dtype == np.uint8
    if not same_uid:
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
            setattr(dataset, keyword, generate_uid())
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.Rows, dataset.Columns = stored.shape
    bits = 8 if eight else 16
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    dataset.PixelRepresentation = 0 if eight else 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    dataset.PixelData = stored.astype(np.uint8 if eight else np.int16).tobytes()
    dataset["PixelData"].VR = "OB" if eight else "OW"
    dataset["PixelData"].is_undefined_length = False
    folder.mkdir(exist_ok=True)
    dataset.save_as(folder / f"{generate_uid()}.dcm", enforce_file_format=True)


def window(values: np.ndarray) -> np.ndarray:
    """-160 to 240 HU, or all of a film, in 8 bits."""
    low, high = (-160, 240) if values.min() < -500 else (values.min(), values.max())
    return np.rint(np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)


def jpeg(gray: np.ndarray) -> np.ndarray:
    _, code = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, 85])
    decoded = cv2.imdecode(code, cv2.IMREAD_GRAYSCALE)
    assert decoded is not None
    return decoded


def smaller(values: np.ndarray) -> np.ndarray:
    rows, columns = values.shape
    size = (round(columns * 0.75), round(rows * 0.75))
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)


# What is done to the values, and what is surely said of it.
CHANGES: dict[str, tuple[Change, str]] = {
    "flipped": (lambda values: values[:, ::-1], "flipped left to right"),
    "upside down": (lambda values: values[::-1], "flipped top to bottom"),
    "by 180": (lambda values: values[::-1, ::-1], "rotated by 180 degrees"),
    "by 90": (lambda values: np.rot90(values), "rotated by 90 degrees counterclockwise"),
    "by 270": (lambda values: np.rot90(values, 3), "rotated by 90 degrees clockwise"),
    "transposed": (lambda values: values.T, "transposed"),
    "windowed": (window, ""),
    "inverted": (lambda values: -values, "inverted"),
    "re-encoded": (lambda values: jpeg(window(values)), ""),
    "resized": (smaller, "resized"),
    "windowed and flipped": (lambda values: window(values)[:, ::-1], "flipped left to right"),
    "windowed and resized": (lambda values: smaller(window(values)), "resized"),
    "re-encoded and flipped": (lambda v: jpeg(window(v)[:, ::-1]), "flipped left to right"),
    "flipped and resized": (
        lambda values: smaller(values[:, ::-1].copy()),
        "flipped left to right, resized",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_copy_is_found_and_nothing_else(
    clean: dict[str, pl.DataFrame], tmp_path: Path, kind: str, name: str
) -> None:
    change, said = CHANGES[name]
    path = middle(clean[kind])
    plant(path, tmp_path / "copy", change)
    near = near_slices(clean[kind], path)
    copies = same_pixels(pl.concat([near, index(tmp_path / "copy", tmp_path)]))
    (pair,) = copies.similar.iter_rows(named=True)
    assert (pair["first_path"], Path(pair["second_path"]).parent) == (path, tmp_path / "copy")
    assert all(part in pair["how"] for part in said.split(", "))
    assert (pair["correlation"] < 0) == (name == "inverted")
    assert copies.exact.is_empty()


@pytest.mark.parametrize("kind", KINDS)
def test_a_clean_archive_has_no_copies(clean: dict[str, pl.DataFrame], kind: str) -> None:
    steps: list[tuple[int, int]] = []
    copies = same_pixels(clean[kind], progress=lambda done, total: steps.append((done, total)))
    assert (copies.exact.height, copies.similar.height) == (0, 0)
    assert (copies.compared, copies.rejects) == (clean[kind].height, ())
    assert steps[-1] == (clean[kind].height, clean[kind].height)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("copy_first", [False, True])
def test_equal_pixels_under_another_uid_are_an_exact_copy(
    clean: dict[str, pl.DataFrame], tmp_path: Path, kind: str, copy_first: bool
) -> None:
    path = middle(clean[kind])
    plant(path, tmp_path / "copy", lambda values: values)  # other bits and slope, equal values
    tables = [near_slices(clean[kind], path), index(tmp_path / "copy", tmp_path)]
    copies = same_pixels(pl.concat(tables[::-1] if copy_first else tables))
    assert copies.exact["group"].to_list() == [0, 0]
    assert path in copies.exact["path"].to_list()
    assert copies.exact["SOPInstanceUID"].n_unique() == 2
    assert copies.similar.is_empty()  # neither is it like a neighbor of its original


def test_across_two_archives_only_pairs_of_both_count(
    clean: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    films = clean["film"].sort("path")
    one, other, third = films["path"][:3]
    plant(one, tmp_path / "here", lambda values: values[:, ::-1])  # its original is here too
    plant(one, tmp_path / "there", lambda values: values, same_uid=True)
    plant(other, tmp_path / "there", lambda values: smaller(window(values)))
    plant(third, tmp_path / "there", lambda values: values)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    here = pl.concat([films, index(tmp_path / "here", tmp_path / "a")])
    within, copies = same_pixels_across(here, index(tmp_path / "there", tmp_path / "b"))
    assert within.exact.is_empty()
    assert copies.exact["source"].to_list() == ["images", "others"] * 2
    assert set(copies.exact.filter(source="images")["path"]) == {one, third}
    assert copies.exact.filter(group=0)["SOPInstanceUID"].n_unique() in (1, 2)
    pairs = copies.similar.select("first_path", "how").sort("how").rows()
    assert pairs[0][1] == "flipped left to right"  # the flipped film here, its original there
    assert pairs[1] == (other, "resized")
    assert len(pairs) == 2


def test_constant_images_are_no_copies(clean: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    for value in (0, 0, 7):
        plant(middle(clean["film"]), tmp_path / "c", lambda v, k=value: np.full(v.shape, k))  # type: ignore[misc]
    copies = same_pixels(index(tmp_path / "c", tmp_path))
    assert (copies.exact.height, copies.similar.height, copies.compared) == (0, 0, 3)


def test_an_unreadable_file_is_counted_and_the_others_are_compared(
    clean: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    path = middle(clean["film"])
    for _ in range(3):
        plant(path, tmp_path / "c", lambda values: values)
    rows = index(tmp_path / "c", tmp_path)
    cut = Path(rows["path"][0])
    cut.write_bytes(cut.read_bytes()[:-20])
    copies = same_pixels(rows)
    assert (copies.compared, copies.exact.height) == (2, 2)
    (reject,) = copies.rejects
    assert (reject.path, reject.reason) == (str(cut), "truncated_pixels")


def test_no_images_have_no_copies_and_the_tables_their_columns(
    clean: dict[str, pl.DataFrame],
) -> None:
    none: PixelCopies = same_pixels(clean["film"].clear())
    assert (dict(none.exact.schema), dict(none.similar.schema)) == (EXACT_SCHEMA, SIMILAR_SCHEMA)
    assert none.compared == 0
    assert not any("Patient" in name for name in (*EXACT_SCHEMA, *SIMILAR_SCHEMA))


def test_one_slice_in_many_encodings_is_one_group_or_similar(
    real_data: Path, tmp_path: Path
) -> None:
    folder = real_data / "codecs"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}")
    tables = []
    for number, path in enumerate(sorted(folder.glob("*.dcm"))):
        (tmp_path / str(number)).mkdir()
        row = build_index([path], tmp_path / str(number) / "index.parquet", workers=1).images
        tables.append(row.with_columns(SOPInstanceUID=pl.lit(f"1.2.{number}")))
    copies = same_pixels(pl.concat(tables))
    assert copies.exact.height == 20  # all that is lossless and not of 8 bits; padding is air
    seen = {*copies.exact["path"], *copies.similar["first_path"], *copies.similar["second_path"]}
    assert len(seen) == len(tables)


def test_a_file_in_two_real_folders_is_found_across_them(real_data: Path, tmp_path: Path) -> None:
    tables = []
    for name in ("hemorrhage", "hemorrhage_series"):
        if not (real_data / name).is_dir():
            pytest.skip(f"no folder {real_data / name}")
        (tmp_path / name).mkdir()
        tables.append(index(real_data / name, tmp_path / name))
    _, copies = same_pixels_across(tables[0], tables[1])
    assert copies.exact["SOPInstanceUID"].to_list() == ["ID_000039fa0"] * 2
    assert copies.similar.is_empty()
