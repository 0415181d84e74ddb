"""tasks/pneumothorax.py: air in the pleural space on chest radiographs, as the 2019 competition."""

from functools import partial

import numpy as np

from wetread.anatomy.chest_film import chest_film_absent
from wetread.anatomy.film_pleura import (
    find_pleural_box,
    find_pleural_region,
    find_pleural_sides,
)
from wetread.evaluation.baselines import gray_histogram
from wetread.evaluation.mask_submission import score_mask_submission
from wetread.evaluation.metrics import THRESHOLD
from wetread.labels.code import Code
from wetread.labels.finding import Finding
from wetread.labels.rle_csv import read_rle_csv
from wetread.outputs.mask_submission import check_mask_sample, submit_masks
from wetread.phantoms.graft.film import paint_film_pneumothorax
from wetread.phantoms.radiograph.archive import write_radiograph_archive
from wetread.study.crop import whole_picture
from wetread.study.display import display_grey
from wetread.tasks.task import Demo, Phantoms, SubmissionForm, Task
from wetread.training.measures import DrawnStack, MaskMeasure
from wetread.training.slices.spec import SliceSpec
from wetread.view.uncrop import uncrop


def hemithorax_share(drawn: DrawnStack) -> float:
    """Measure how much of one side of the chest is taken by air, as a share of its area on a film;
    of two sides the larger share; drawn: one finding of one film.

    The pleural spaces are found on the film (`find_pleural_sides`); what is drawn beyond belongs to
    the side it lies on. NaN where they are not found, or of several films.
    """
    (masks,) = drawn.masks
    films = list(zip(masks, drawn.pictures, strict=True))
    if len(films) != 1:
        return float("nan")
    ((air, film),) = films
    sides = find_pleural_sides(film.values)
    if sides is None:
        return float("nan")
    spaces = [
        uncrop((sides == side).astype(np.float32), film.box, air.shape) >= THRESHOLD
        for side in (1, 2)
    ]
    if not all(space.any() for space in spaces):
        return float("nan")
    middle = np.mean([np.flatnonzero(space.any(axis=0)).mean() for space in spaces])
    halves = np.arange(air.shape[1]) < middle, np.arange(air.shape[1]) >= middle
    shares = []
    for space, half in zip(spaces, halves, strict=True):
        own = air & half
        shares.append(float(np.count_nonzero(own) / np.count_nonzero(own | space)))
    return max(shares)


CODE = Code("36118008", "SCT", "Pneumothorax")  # pydicom's table of SNOMED CT

PNEUMOTHORAX = Task(
    name="pneumothorax",
    title="Pneumothorax on chest radiographs",
    modalities=("CR", "DX", "DR", "RG"),
    headline="pneumothorax",
    spec=SliceSpec(
        network="pneumothorax",
        image_findings=(Finding("pneumothorax", code=CODE),),
        find_box=whole_picture,
        find_region=find_pleural_box,
        inside=find_pleural_region,
        drawn=(Finding("pneumothorax", level="pixel", code=CODE),),
        histogram=gray_histogram,
        paint_graft=partial(paint_film_pneumothorax, finding="pneumothorax"),
        measures=(MaskMeasure("hemithorax_share", "", ("pneumothorax",), hemithorax_share),),
    ),
    read_labels=read_rle_csv,
    submission=SubmissionForm(
        read_rle_csv, submit_masks, score_mask_submission, check_mask_sample, of_masks=True
    ),
    absent=chest_film_absent,
    recipe="pneumothorax-small",
    phantoms=Phantoms(write_radiograph_archive, "train-rle.csv", patients="patients.csv"),
    descriptions={
        "pneumothorax": "a thin pleural line along the chest wall with no vessels beyond it",
    },
    abbreviations={"PTX": "pneumothorax"},
    preference=None,  # each film of a study is a series of its own
    values=display_grey,
    demo=Demo(studies=800, recipe="pneumothorax-compact"),
)
