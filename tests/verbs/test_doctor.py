"""tests/verbs/test_doctor.py: the doctor tries what the archive room says it reads."""

from importlib.metadata import metadata

import pytest

from wetread.archive.pixels.decoders import DECODERS, NATIVE_SYNTAXES
from wetread.verbs.doctor import EXTRAS, PACKAGES, check_extra, doctor, memory, try_syntax


def test_every_transfer_syntax_of_the_archive_room_reads_here() -> None:
    told = doctor().transfer_syntaxes
    assert {row["uid"] for row in told} == NATIVE_SYNTAXES | DECODERS.keys()
    assert [row for row in told if not row["works"]] == []
    assert all(row["name"] != row["uid"] for row in told)


def test_versions_and_devices_are_listed() -> None:
    found = doctor()
    assert set(found.packages) == set(PACKAGES)
    assert all(found.packages.values())
    assert any(device.startswith("cpu") for device in found.devices)
    assert found.cores >= 1


def test_a_decoder_that_fails_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    uid = "1.2.840.10008.1.2.4.80"
    monkeypatch.setitem(DECODERS, uid, DECODERS["1.2.840.10008.1.2.4.90"])
    told = try_syntax(uid)
    assert told["works"] is False
    assert ": " in (told["reason"] or "")


def test_every_extra_of_the_package_is_told_with_what_is_missing_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert set(EXTRAS) == set(metadata("wetread").get_all("Provides-Extra") or ())
    assert check_extra("cluster")["packages"] == ["distributed"]
    assert "nibabel" in check_extra("pictures")["packages"]
    monkeypatch.setattr("wetread.verbs.doctor._version", lambda name: None)
    assert check_extra("cluster")["missing"] == ["distributed"]


def test_memory_free_is_part_of_the_whole() -> None:
    told = memory()
    assert 0 < told["available"] <= told["total"]
