"""tests/cli/test_calibration_text.py: a row a finding, and a line for what could not be fitted."""

from pathlib import Path

from wetread.cli.calibration_text import calibration_lines
from wetread.verbs.calibrate.calibrate import CalibrationResult, FindingChange


def change(finding: str, kind: str, share: float) -> FindingChange:
    return FindingChange("image", finding, kind, 40, 7, 1.1, -0.5, 0.25, 0.15, share)


def lines_of(*changes: FindingChange) -> list[str]:
    return calibration_lines(CalibrationResult(Path("near"), 50, 12, 12, changes))


def test_each_finding_has_its_mean_before_and_after_and_the_true_share() -> None:
    lines = lines_of(change("intraparenchymal", "slope and bias", 0.14))
    assert lines[0].startswith("calibrated on 50 labeled images of 12 patients, 12 studies; do not")
    assert lines[2].split() == [
        *("image", "intraparenchymal", "slope", "and", "bias"),
        *("40", "7", "0.250", "0.150", "0.140"),
    ]  # fmt: skip
    assert len(lines[1]) == len(lines[2]) <= 80
    assert lines[-2:] == ["run:  near", "page: near/page.html"]


def test_an_unknown_share_is_a_dash() -> None:
    assert lines_of(change("any", "bias", float("nan")))[2].endswith(" -")


def test_findings_without_a_fit_of_their_own_are_explained_once() -> None:
    lines = lines_of(*(change(name, kind, 0.1) for name in "ab" for kind in ("shared", "none")))
    assert sum(line.startswith("shared: ") for line in lines) == 1
    assert sum(line.startswith("none: ") for line in lines) == 1


def test_ids_that_were_repaired_are_counted() -> None:
    result = CalibrationResult(Path("near"), 50, 12, 12, (change("any", "bias", 0.1),), 3)
    assert any(
        line.startswith("3 ids of label files repaired") for line in calibration_lines(result)
    )
    assert not any("repaired" in line for line in lines_of(change("any", "bias", 0.1)))
