"""tests/verbs/task/public_forms.py: label files with the published headers of other sets, drawn."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

VERTEBRAE = [f"C{number}" for number in range(1, 8)]
ORGANS = ("kidney", "liver", "spleen")
CHEXPERT = (
    "No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion",
    "Edema", "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion",
    "Pleural Other", "Fracture", "Support Devices",
)  # fmt: skip
NIH = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis",
    "Hernia", "Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia", "Pneumothorax",
)  # fmt: skip
NIH_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)
ARTERIES = (
    "Left Infraclinoid Internal Carotid Artery", "Right Infraclinoid Internal Carotid Artery",
    "Left Supraclinoid Internal Carotid Artery", "Right Supraclinoid Internal Carotid Artery",
    "Left Middle Cerebral Artery", "Right Middle Cerebral Artery",
    "Anterior Communicating Artery", "Left Anterior Cerebral Artery",
    "Right Anterior Cerebral Artery", "Left Posterior Communicating Artery",
    "Right Posterior Communicating Artery", "Basilar Tip", "Other Posterior Circulation",
)  # fmt: skip


def uid(rng: np.random.Generator) -> str:
    """Draw a UID of the length that DICOM's toolkits give."""
    return "1.2.826.0.1.3680043." + ".".join(str(n) for n in rng.integers(1, 99999, 4))


def spine_rows(rng: np.random.Generator) -> Iterator[list[object]]:
    """RSNA 2022: a study, whether any of C1 to C7 is broken, and which."""
    yield ["StudyInstanceUID", "patient_overall", *VERTEBRAE]
    for _ in range(200):
        broken = (rng.random(7) < 0.08).astype(int)
        yield [uid(rng), int(broken.any()), *broken.tolist()]


def trauma_rows(rng: np.random.Generator) -> Iterator[list[object]]:
    """RSNA 2023: a patient, and one of healthy, (low, high) or injury of five things."""
    grades = [f"{organ}_{grade}" for organ in ORGANS for grade in ("healthy", "low", "high")]
    yield [
        "patient_id", "bowel_healthy", "bowel_injury", "extravasation_healthy",
        "extravasation_injury", *grades, "any_injury",
    ]  # fmt: skip
    for number in range(200):
        two = [int(rng.random() < 0.05) for _ in range(2)]
        three = [int(rng.choice(3, p=[0.85, 0.1, 0.05])) for _ in ORGANS]
        hot = [int(grade == chosen) for chosen in three for grade in range(3)]
        pairs = [value for injured in two for value in (1 - injured, injured)]
        yield [10000 + 7 * number, *pairs, *hot, int(any(two) or any(three))]


def pneumonia_rows(rng: np.random.Generator) -> Iterator[list[object]]:
    """RSNA 2018: a row a box, or one with Target 0."""
    yield ["patientId", "x", "y", "width", "height", "Target"]
    for number in range(200):
        name = f"{number:08x}-{rng.integers(1 << 32):08x}"
        boxes = int(rng.choice(3, p=[0.7, 0.15, 0.15]))
        for _ in range(boxes):
            yield [name, *(f"{value:.1f}" for value in rng.uniform(50, 500, 4)), 1]
        if not boxes:
            yield [name, "", "", "", "", 0]


def nih_lines(rng: np.random.Generator) -> Iterator[str]:
    """NIH ChestX-ray14: names joined by a bar; the header ends in a comma and has commas within
    brackets."""
    yield NIH_HEADER
    for number in range(300):
        count = int(rng.choice(4, p=[0.5, 0.3, 0.15, 0.05]))
        names = "|".join(sorted(rng.choice(NIH, count, replace=False))) or "No Finding"
        yield (
            f"{number // 3 + 1:08d}_{number % 3:03d}.png,{names},{number % 3},{number // 3 + 1},"
            f"{rng.integers(20, 90)},{'MF'[number % 2]},{('PA', 'AP')[number % 2]},2048,2500,"
            "0.143,0.143,"
        )


def chexpert_rows(rng: np.random.Generator) -> Iterator[list[object]]:
    """CheXpert: paths as ids; 1, 0, -1 (uncertain) or blank (not mentioned)."""
    yield ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *CHEXPERT]
    for number in range(300):
        values = [("1.0", "0.0", "-1.0", "")[rng.integers(4)] for _ in CHEXPERT[1:]]
        nothing = "1.0" if "1.0" not in values and "-1.0" not in values else ""
        frontal = number % 4 < 3
        path = f"CheXpert-v1.0-small/train/patient{number // 2:05d}/study{number % 2 + 1}/view1_"
        yield [
            path + ("frontal.jpg" if frontal else "lateral.jpg"),
            ("Male", "Female")[number % 3 == 0], int(rng.integers(18, 90)),
            "Frontal" if frontal else "Lateral", ("AP", "PA")[number % 2] if frontal else "",
            nothing, *values,
        ]  # fmt: skip


def aneurysm_rows(rng: np.random.Generator) -> Iterator[list[object]]:
    """RSNA 2025: a series, where an aneurysm is, and whether there is any."""
    yield [
        "SeriesInstanceUID",
        "PatientAge",
        "PatientSex",
        "Modality",
        *ARTERIES,
        "Aneurysm Present",
    ]
    for number in range(300):
        found = (rng.random(len(ARTERIES)) < 0.05).astype(int)
        kind = ("CTA", "MRA", "MRI T2")[number % 3]
        yield [
            uid(rng), int(rng.integers(20, 90)), ("Male", "Female")[number % 2], kind,
            *found.tolist(), int(found.any()),
        ]  # fmt: skip


ROWS = {
    "cervical-spine-fracture-2022": spine_rows,
    "abdominal-trauma-2023": trauma_rows,
    "pneumonia-2018": pneumonia_rows,
    "chexpert": chexpert_rows,
    "aneurysm-2025": aneurysm_rows,
}
PUBLIC_FORMS = (*ROWS, "chestxray14")


def write_public_form(name: str, folder: Path, seed: int = 0) -> Path:
    """Write the label file of a set, as NAME.csv."""
    path, rng = folder / f"{name}.csv", np.random.default_rng(seed)
    if name == "chestxray14":
        path.write_text("\n".join(nih_lines(rng)) + "\n")
        return path
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(ROWS[name](rng))
    return path
