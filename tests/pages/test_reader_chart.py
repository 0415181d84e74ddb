"""tests/pages/test_reader_chart.py: readers as points beside the model's curves."""

import numpy as np

from wetread.pages.reader_chart import ReaderPoint, reader_chart


def test_every_reader_has_a_point_and_a_curve_of_one_color() -> None:
    curve = np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.8, 1.0])
    points = [ReaderPoint(name, 0.7, 0.9, *curve) for name in ("R1", "R2")]
    svg = reader_chart(points, "any")
    assert svg.startswith("<svg")
    assert ">R1<" in svg
    assert ">R2<" in svg
    assert svg.count("#b4632f") >= 2  # the first reader's point and curve
    assert reader_chart(points, "any") == svg
