"""tasks/own/crops.py: the crops that a task's file may name, by the modality they are found in, and
the tasks whose phantoms show what is in them."""

from __future__ import annotations

from wetread.anatomy.chest_box import find_heart_square, find_lung_square
from wetread.anatomy.film_pleura import find_pleural_box
from wetread.anatomy.head import find_head_box
from wetread.store.pack_series import FindBox
from wetread.study.crop import whole_picture
from wetread.tasks.hemorrhage import HEMORRHAGE
from wetread.tasks.task import Task

PICTURE = "picture"
CT_CROPS: dict[str, FindBox] = {
    PICTURE: whole_picture,
    "body": find_head_box,  # the largest connected tissue, which a trunk is as well
    "head": find_head_box,
    "lungs": find_lung_square,
    "heart": find_heart_square,
}
PHANTOMS_OF: dict[str, Task] = {"head": HEMORRHAGE}  # of crops of CT
FILM_CROPS: dict[str, FindBox] = {PICTURE: whole_picture, "lungs": find_pleural_box}
