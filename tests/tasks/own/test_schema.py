"""tests/tasks/own/test_schema.py: each mistake in a task's file is one line with file and key."""

from pathlib import Path

import pytest

from wetread.tasks.own.build import build_task, read_task_file
from wetread.tasks.own.schema import TaskFileError

GOOD = """
modalities = ["CT"]
[[findings]]
name = "left_lesion"
mirror = "right_lesion"
[[findings]]
name = "right_lesion"
mirror = "left_lesion"
[[labels]]
id = "StudyInstanceUID"
id_of = "study"
"""
MISTAKES = {  # what is replaced, by what, and what the message says
    "not_toml": ('name = "left_lesion"', "name = left", "not TOML"),
    "unknown_key": ("modalities", "modalitys", "no key modalitys; known there: name, title"),
    "no_modalities": ('["CT"]', "[]", r"modalities List should have at least 1 item"),
    "two_kinds": ('["CT"]', '["CT", "CR"]', "CT is in HU and the others are not"),
    "no_id": ('id = "StudyInstanceUID"\n', "", r"labels\[1\].id is missing"),
    "unknown_id_of": ('"study"', '"scan"', r"labels\[1\].id_of = 'scan' should be"),
    "key_of_labels": ("id_of", "ids_of", r"no key labels\[1\].ids_of; known there: layout, id,"),
    "layout": ("id_of = ", 'layout = "tall"\nid_of = ', r"labels\[1\].layout = 'tall' should be"),
    "policy": ("id_of = ", 'blank = "zero"\nid_of = ', r"labels\[1\].blank = 'zero' should be"),
    "share": ("id_of = ", "uncertain = 2\nid_of = ", r"labels\[1\].uncertain = 2 should be"),
    "several": ("id_of = ", 'several = "all"\nid_of = ', r"labels\[1\].several = 'all' should"),
    "twin_alone": ('mirror = "left_lesion"\n', "", r"findings\[1\].mirror = 'right_lesion', whose"),
    "twin_unknown": ('mirror = "left_lesion"', 'mirror = "left"', r"whose mirror is 'left'"),
    "name_twice": ('name = "right_lesion"', 'name = "left_lesion"', "'left_lesion' stand twice"),
    "name": ('name = "left_lesion"', 'name = "left lesion"', r"findings\[1\].name = 'left lesion'"),
    "level": ('name = "left', 'level = "slice"\nname = "left', r"findings\[1\].level = 'slice'"),
    "weight": ('name = "left', 'weight = -1\nname = "left', r"findings\[1\].weight = -1 should be"),
    "part": ('name = "left', 'any_of = ["x"]\nname = "left', r"findings\[1\].any_of names 'x'"),
    "headline": ("[[labels]]", '[[labels]]\n#\n', ""),
    "crop": ("modalities", 'crop = "toes"\nmodalities', "crop = 'toes' is none for CT; known: "),
    "recipe": ("modalities", 'recipe = {name = "x"}\nmodalities', r"\[recipe\]: no recipe 'x'"),
    "setting": ("modalities", "recipe = {siz = 1}\nmodalities", r"\[recipe\]: .* no setting 'siz'"),
    "group": ("[[labels]]", '[[groups]]\nexactly_one = ["x", "left_lesion"]\n[[labels]]',
              r"groups\[1\].exactly_one names 'x'"),
    "short_group": ("[[labels]]", '[[groups]]\nexactly_one = ["left_lesion"]\n[[labels]]',
                    r"groups\[1\].exactly_one List should have at least 2"),
    "submission": ("[[labels]]", '[submission]\nby = "image"\n[[labels]]',
                   "submission.by = 'image', and the findings are of studies"),
    "no_findings": ("[[findings]]", "[[finding]]", "no key finding; known there"),
}  # fmt: skip
MISTAKES["headline"] = ("modalities", 'headline = "x"\nmodalities', "headline = 'x' is no finding")


def test_the_good_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lesion.toml"
    path.write_text(GOOD)
    task = read_task_file(path)
    assert task.name == "lesion"
    assert [one.mirror for one in task.findings] == ["right_lesion", "left_lesion"]
    assert task.source == GOOD


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_names_file_and_key(mistake: str) -> None:
    old, new, said = MISTAKES[mistake]
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(TaskFileError, match=rf"^mine\.toml: .*{said}") as refused:
        build_task(text, "mine.toml", "mine")
    assert len(str(refused.value).splitlines()) == 1


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaskFileError, match=r"none\.toml: there is no such file of a task"):
        read_task_file(tmp_path / "none.toml")
    path = tmp_path / "bytes.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TaskFileError, match="not in UTF-8"):
        read_task_file(path)
    with pytest.raises(TaskFileError, match="cannot be read"):
        read_task_file(tmp_path)


def test_findings_of_images_want_labels_by_image() -> None:
    text = GOOD.replace("name = ", 'level = "image"\nname = ')
    with pytest.raises(TaskFileError, match=r"labels\[1\]\.id_of = 'study'; what is known"):
        build_task(text, "mine.toml", "mine")
