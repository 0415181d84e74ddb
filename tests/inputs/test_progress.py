"""tests/inputs/test_progress.py: a stage's progress reaches the report under its name."""

from wetread.inputs.progress import silent, stage


def test_a_stage_reports_under_its_name() -> None:
    heard: list[tuple[str, int, int]] = []
    report = stage(lambda *at: heard.append(at), "pack")
    report(1, 4)
    report(4, 4)
    assert heard == [("pack", 1, 4), ("pack", 4, 4)]


def test_silence_takes_the_same_words() -> None:
    assert stage(silent, "pack")(1, 2) is None
