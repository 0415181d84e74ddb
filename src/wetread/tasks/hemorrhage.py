"""tasks/hemorrhage.py: intracranial hemorrhage on head CT, in the form of the 2019 competition."""

from wetread.anatomy.head import find_head_box
from wetread.anatomy.presence import head_absent
from wetread.labels.finding import Finding
from wetread.labels.long_csv import read_long_csv
from wetread.phantoms.head.archive import write_head_archive
from wetread.study.series_choice import SeriesPreference
from wetread.tasks.task import Phantoms, Task
from wetread.training.slices.spec import SliceSpec

HEMORRHAGE = Task(
    name="hemorrhage",
    title="Intracranial hemorrhage on head CT",
    modalities=("CT",),
    headline="any",
    spec=SliceSpec(
        network="hemorrhage",
        image_findings=(
            Finding("epidural"),
            Finding("intraparenchymal"),
            Finding("intraventricular"),
            Finding("subarachnoid"),
            Finding("subdural"),
            Finding("any", weight=2.0),  # the official metric counts it twice
        ),
        find_box=find_head_box,
    ),
    read_labels=read_long_csv,
    absent=head_absent,
    recipe="compact",
    phantoms=Phantoms(write_head_archive, "stage_2_train.csv"),
    descriptions={
        "epidural": "a biconvex lens between skull and dura that stops at sutures",
        "intraparenchymal": "a rounded clot in the tissue with a dark rim of edema",
        "intraventricular": "blood layered in the horns of the ventricles, or a cast of them",
        "subarachnoid": "bright threads in sulci and cisterns",
        "subdural": "a crescent along the convexity, falx or tentorium that crosses sutures",
        "any": "any of the five",
    },
    preference=SeriesPreference(
        body_parts=("HEAD", "BRAIN", "SKULL"),
        least_slices=10,
        thickness_mm=(2.5, 10.0),
        sharp=False,
    ),
)
