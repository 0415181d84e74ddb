"""tests/inputs/test_attributes.py: headers as groups; tilts against rotations."""

import numpy as np
import polars as pl
import pytest
from scipy.spatial.transform import Rotation

from wetread.archive.index.schema import INDEX_SCHEMA
from wetread.inputs.attributes import (
    AGES,
    OTHERS,
    SEVERAL,
    attributes_of,
    band,
    common_texts,
    image_attributes,
    tilt_degrees,
)


def index_rows(**columns: list[object]) -> pl.DataFrame:
    count = len(next(iter(columns.values())))
    return pl.DataFrame(
        {name: columns.get(name, [None] * count) for name in INDEX_SCHEMA}, schema=INDEX_SCHEMA
    )


def test_headers_become_groups_and_silence_stays_silence() -> None:
    found = image_attributes(
        index_rows(
            SOPInstanceUID=["1", "2"],
            Modality=["CT", "DX"],
            ViewPosition=[None, " AP "],
            PatientSex=["f", ""],
            age_years=[17.9, 80.0],
            SliceThickness=[1.5, None],
            orientation=[[1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 1, 0]],
        )
    )
    assert found.rows(named=True)[0] == {
        "image": "1", "view": None, "sex": "F", "age": "0-17", "manufacturer": None,
        "kernel": None, "thickness": "up to 1.5 mm", "tilt": "under 5 degrees",
    }  # fmt: skip
    assert found.row(1)[1:4] == ("AP", None, "80 and over")
    assert found["tilt"][1] is None  # a film has none


@pytest.mark.parametrize(
    ("age", "name"), [(0, "0-17"), (18, "18-39"), (59.9, "40-59"), (99, "80 and over")]
)
def test_a_band_holds_its_lower_end(age: float, name: str) -> None:
    assert band(age, AGES) == name


@pytest.mark.parametrize("degrees", [0, 12.5, 45, 90])
def test_a_tilt_is_the_angle_of_the_normal_whatever_way_the_slice_is_turned(degrees: float) -> None:
    turn = Rotation.from_euler("xz", [degrees, 30], degrees=True).as_matrix()
    orientation = [*turn[:, 0], *turn[:, 1]]
    assert tilt_degrees(orientation) == pytest.approx(degrees, abs=1e-5)
    assert tilt_degrees([*-np.array(orientation[:3]), *orientation[3:]]) == pytest.approx(
        degrees, abs=1e-5
    )


def test_axes_that_are_none_have_no_tilt() -> None:
    assert tilt_degrees(None) is None
    assert tilt_degrees([1, 0, 0, 1, 0, 0]) is None


def test_of_many_texts_the_rare_are_one_group() -> None:
    texts = [f"kernel {k}" for k in range(12) for _ in range(20 - k)]
    found = common_texts(pl.Series("kernel", texts))
    assert len(set(found)) == 9
    assert found[0] == "kernel 0"
    assert found[-1] == OTHERS


def test_a_study_whose_images_differ_is_of_several() -> None:
    images = image_attributes(
        index_rows(
            SOPInstanceUID=["1", "2", "3"],
            Modality=["CT"] * 3,
            ConvolutionKernel=["H30", "H60", "H30"],
        )
    ).with_columns(series=pl.Series(["a", "b", "c"]), study=pl.Series(["x", "x", "y"]))
    assert attributes_of(["y", "x", "z"], images, "study")["kernel"] == ["H30", SEVERAL, None]
