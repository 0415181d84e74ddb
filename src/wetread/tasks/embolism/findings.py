"""tasks/embolism/findings.py: what a CT pulmonary angiogram is labelled with, and what each weighs.

Names, order and weights are those of the RSNA-STR 2020 competition: the nine labels of an exam in
the order of its submission file (their weights sum to 1), and the one label of an image.
"""

from wetread.labels.code import Code
from wetread.labels.finding import Finding, finding_names

CODE = Code("59282003", "SCT", "Pulmonary embolism")  # pydicom's table of SNOMED CT

EXAM_FINDINGS = (
    Finding("negative_exam_for_pe", "study", 0.0736196319),
    Finding("rv_lv_ratio_gte_1", "study", 0.2346625767),
    Finding("rv_lv_ratio_lt_1", "study", 0.0782208589),
    Finding("leftsided_pe", "study", 0.06257668712, mirror="rightsided_pe"),
    Finding("chronic_pe", "study", 0.1042944785),
    Finding("rightsided_pe", "study", 0.06257668712, mirror="leftsided_pe"),
    Finding("acute_and_chronic_pe", "study", 0.1042944785),
    Finding("central_pe", "study", 0.1877300613),
    Finding("indeterminate", "study", 0.09202453988),
)
# An image weighs this times the share of positive images in its exam.
IMAGE_FINDING = Finding("pe_present_on_image", "image", 0.07361963, code=CODE)
# Neither negative nor indeterminate. Derived: no file has it and the official metric leaves it out.
POSITIVE_EXAM = Finding("positive_exam", "study", 0.0, code=CODE)

EXAM_NAMES = finding_names(EXAM_FINDINGS)
# What exclude each other, or are there together, as columns of EXAM_FINDINGS.
NOT_POSITIVE = (EXAM_NAMES.index("negative_exam_for_pe"), EXAM_NAMES.index("indeterminate"))
RATIOS = (EXAM_NAMES.index("rv_lv_ratio_gte_1"), EXAM_NAMES.index("rv_lv_ratio_lt_1"))
CHRONIC = (EXAM_NAMES.index("chronic_pe"), EXAM_NAMES.index("acute_and_chronic_pe"))
SIDES = tuple(EXAM_NAMES.index(name) for name in ("central_pe", "leftsided_pe", "rightsided_pe"))
