"""tasks/pneumothorax.py: air in the pleural space on chest radiographs, as the 2019 competition."""

from functools import partial

from wetread.anatomy.chest_film import chest_film_absent
from wetread.anatomy.film_pleura import find_pleural_box, find_pleural_region
from wetread.evaluation.baselines import gray_histogram
from wetread.evaluation.mask_submission import score_mask_submission
from wetread.labels.finding import Finding
from wetread.labels.rle_csv import read_rle_csv
from wetread.outputs.mask_submission import check_mask_sample, submit_masks
from wetread.phantoms.graft.film import paint_film_pneumothorax
from wetread.phantoms.radiograph.archive import write_radiograph_archive
from wetread.study.crop import whole_picture
from wetread.study.display import display_grey
from wetread.tasks.task import Demo, Phantoms, SubmissionForm, Task
from wetread.training.slices.spec import SliceSpec

PNEUMOTHORAX = Task(
    name="pneumothorax",
    title="Pneumothorax on chest radiographs",
    modalities=("CR", "DX", "DR", "RG"),
    headline="pneumothorax",
    spec=SliceSpec(
        network="pneumothorax",
        image_findings=(Finding("pneumothorax"),),
        find_box=whole_picture,
        find_region=find_pleural_box,
        inside=find_pleural_region,
        drawn=(Finding("pneumothorax", level="pixel"),),
        histogram=gray_histogram,
        paint_graft=partial(paint_film_pneumothorax, finding="pneumothorax"),
    ),
    read_labels=read_rle_csv,
    submission=SubmissionForm(read_rle_csv, submit_masks, score_mask_submission, check_mask_sample),
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
