"""tests/pages/test_runs_page.py: curves of runs as a browser shows them, from this one file."""

from pathlib import Path
from typing import Any

from wetread.pages.charts import History
from wetread.pages.runs_page import RunCurves, RunsSection, run_style, write_runs_page


def run(name: str, networks: int, scale: float) -> RunCurves:
    rows = [
        {"epoch": k, "loss": scale / (k + 1), "value": scale / (k + 2), "kept": k < 3}
        for k in range(5)
    ]
    histories = tuple(History(f"model-{n}", tuple(rows)) for n in range(networks))
    return RunCurves(name, histories, ((name, ""), ("finished", "small")), "finished")


SECTION = RunsSection(
    "Bleeding", "loss", ("roc_auc_any", "ROC AUC"), ("run", "state"),
    (run("one", 1, 1.0), run("two", 3, 0.7)),
)  # fmt: skip


def test_each_number_that_a_run_has_is_a_chart_and_others_are_none() -> None:
    assert [chart.title for chart in SECTION.charts] == ["Loss in training", "Validation: loss"]


def test_the_first_32_runs_have_distinct_line_styles() -> None:
    assert len({str(run_style(place)) for place in range(32)}) == 32


def test_the_page_fits_a_screen_and_a_phone_and_asks_for_nothing(
    browser: Any, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    write_runs_page(path, [SECTION])
    for width in (1200, 390):
        page = browser.new_page(viewport={"width": width, "height": 800})
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("svg").count() == 2
        for name in ("one", "two"):
            assert page.locator("svg").first.get_by_text(name, exact=True).count() == 1
        assert asked == [path.as_uri()]
        page.close()
