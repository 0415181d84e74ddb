"""tasks/pneumothorax.py: air in the pleural space on chest radiographs, as the 2019 competition."""

from wetread.anatomy.chest_film import chest_film_absent
from wetread.evaluation.baselines import gray_histogram
from wetread.evaluation.mask_submission import score_mask_submission
from wetread.labels.finding import Finding
from wetread.labels.rle_csv import read_rle_csv
from wetread.outputs.mask_submission import submit_masks
from wetread.phantoms.radiograph.archive import write_radiograph_archive
from wetread.study.display import display_grey
from wetread.tasks.task import Task
from wetread.view.crop import whole_picture

PNEUMOTHORAX = Task(
    name="pneumothorax",
    title="Pneumothorax on chest radiographs",
    modalities=("CR", "DX", "DR", "RG"),
    findings=(Finding("pneumothorax"),),
    headline="pneumothorax",
    read_labels=read_rle_csv,
    read_submission=read_rle_csv,
    write_submission=submit_masks,
    score_submission=score_mask_submission,
    find_box=whole_picture,
    absent=chest_film_absent,
    recipe="pneumothorax-small",
    write_phantoms=write_radiograph_archive,
    phantom_labels="train-rle.csv",
    descriptions={
        "pneumothorax": "a thin pleural line along the chest wall with no vessels beyond it",
    },
    wanted=None,  # each film of a study is a series of its own
    histogram=gray_histogram,
    drawn=(Finding("pneumothorax", level="pixel"),),
    values=display_grey,
    demo_studies=800,
    demo_recipe="pneumothorax-compact",
    phantom_patients="patients.csv",
)
