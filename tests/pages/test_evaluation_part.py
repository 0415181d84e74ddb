"""tests/pages/test_evaluation_part.py: differences as tables of a page."""

from dataclasses import replace

from wetread.evaluation.comparison import Difference
from wetread.evaluation.subgroups import SubgroupScore
from wetread.pages.evaluation_part import EvaluationPart, group_tables, pair_tables
from wetread.pages.page import PageContent, page_html

AUC = Difference("roc_auc", "any", "image", -0.125, -0.2, -0.05, 0.75, 0.875, 40, 12, 30)
LOSS = replace(AUC, metric="log_loss", value=0.01, low=-0.1, high=0.12, first=0.31, second=0.3)
FEW = replace(AUC, value=None, low=None, high=None, first=None, second=None, reason="2 positive")


def test_a_line_has_both_values_the_difference_and_whether_chance_explains_it() -> None:
    (table,) = pair_tables([AUC, LOSS])
    (row,) = table.rows
    auc = row.cells["roc_auc"]
    assert (auc.first, auc.second, auc.difference) == ("0.750", "0.875", "-0.125")
    assert (auc.interval, auc.apart) == ("-0.200 – -0.050", True)
    assert not row.cells["log_loss"].apart
    assert (table.apart, table.compared) == (1, 2)


def test_groups_that_are_too_small_stand_with_their_reason() -> None:
    (table,) = group_tables([SubgroupScore("view", "AP", AUC), SubgroupScore("view", "LL", FEW)])
    assert [row.head for row in table.rows] == [("view", "AP"), ("view", "LL")]
    assert [row.reason for row in table.rows] == ["", "2 positive"]


def test_the_second_of_two_groups_has_its_values_and_is_not_counted_again() -> None:
    turned = replace(
        AUC, value=None, low=None, high=None, first=0.875, second=0.75,
        reason="compared once, as F",
    )  # fmt: skip
    (table,) = group_tables([SubgroupScore("sex", "F", AUC), SubgroupScore("sex", "M", turned)])
    cell = table.rows[1].cells["roc_auc"]
    assert (cell.first, cell.second, cell.difference) == ("0.875", "0.750", "")
    assert (cell.interval, cell.apart) == ("compared once, as F", False)
    assert (table.apart, table.compared) == (1, 1)


def test_each_level_has_a_table() -> None:
    tables = pair_tables([AUC, replace(AUC, level="study")])
    assert [table.level for table in tables] == ["image", "study"]


def test_the_page_has_groups_pairs_and_what_is_without_a_score() -> None:
    part = EvaluationPart(
        absent={"pixel": "no mask of an image was drawn"},
        groups=group_tables([SubgroupScore("view", "<AP>", AUC)]),
        pairs=pair_tables([AUC]),
        names=("mine", "theirs"),
        own_scores=(("roc auc of any, by image", "0.9", "0.8"),),
        known="None of the images.",
    )
    html = page_html(PageContent(title="t", summary="s", headline="any", evaluation=part))
    assert "First mine, below it theirs" in html
    assert "&lt;AP&gt;" in html
    assert "no mask of an image was drawn" in html
    assert "1 of 1 intervals leaves 0 out" in html
    assert "None of the images." in html
