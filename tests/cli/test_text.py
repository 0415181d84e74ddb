"""tests/cli/test_text.py: lines for people fit 80 columns and leave no number out."""

from typing import Any

from wetread.cli.text import counted, score_lines, wrapped
from wetread.evaluation.score import Score


def row(metric: str, value: float | None, **changes: object) -> Score:
    fields: dict[str, Any] = {
        "metric": metric,
        "finding": "intraparenchymal",
        "level": "image",
        "split": "held_out",
        "value": value,
        "low": None if value is None else value - 0.1,
        "high": None if value is None else value + 0.1,
        "patients": 70,
        "positives": 12,
        "reason": None,
        **changes,
    }
    return Score(**fields)


def test_a_score_stands_with_its_interval_above_its_own_baselines() -> None:
    lines = score_lines(
        [
            row("average_precision", 0.81234),
            row("average_precision_prior", 0.1),
            row("average_precision_position", 0.25),
            row("average_precision_histogram", 0.5),
            row("average_precision_prior", 0.9, level="study"),
        ]
    )
    assert lines[0].split() == ["metric", "finding", "level", "value", "95", "%", "interval"]
    assert lines[1].split() == ["average_precision", "intraparenchymal", "image", "0.812",
                                "0.712-0.912"]  # fmt: skip
    assert lines[2].strip() == "beside prior 0.100, position 0.250, histogram 0.500"
    assert len(lines) == 3
    assert max(map(len, lines)) <= 80
    assert wrapped(lines) == lines


def test_a_score_that_cannot_be_says_why() -> None:
    reason = "no positive among 1234567 known labels"
    (_, line) = score_lines([row("roc_auc", None, reason=reason)])
    assert line.endswith(reason)


def test_a_long_line_is_wrapped_and_a_long_path_is_not_broken() -> None:
    path = "/" + "deep-folder/" * 12
    lines = wrapped([counted({f"kind_{i}": i for i in range(12)}), f"page: {path}", ""])
    assert all(len(line) <= 80 or line.strip() == path for line in lines)
    assert path in [line.strip() for line in lines]
    assert lines[-1] == ""
    told = " ".join(line.strip() for line in lines[:-3])
    assert told == counted({f"kind_{i}": i for i in range(12)})
