"""tests/labels/test_finding.py: findings keep their order and weights."""

import pytest

from wetread.labels.finding import Finding, finding_names, finding_weights


def test_names_and_weights_follow_the_order_of_the_findings() -> None:
    findings = (Finding("left", mirror="right"), Finding("any", weight=2.0), Finding("right"))
    assert finding_names(findings) == ("left", "any", "right")
    assert finding_weights(findings).tolist() == [1.0, 2.0, 1.0]


def test_a_finding_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Finding("any").weight = 3.0  # type: ignore[misc]
