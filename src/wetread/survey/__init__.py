"""Index x LabelTable -> what there is, and what is wrong with it: frames, and charts of frames.

>>> from wetread import survey
>>> sorted(name for name in survey.__all__ if name.endswith("_chart"))[:2]
['bar_chart', 'heat_chart']
"""

from wetread.survey.charts import (
    bar_chart,
    heat_chart,
    histogram_chart,
    matrix_chart,
    place_chart,
    spread_chart,
)
from wetread.survey.damaged_ids import find_damage
from wetread.survey.doubts import doubtful_labels
from wetread.survey.header_shortcuts import shortcut_table, shortcuts
from wetread.survey.label_counts import (
    broken_rules,
    co_occurrence,
    count_labels,
    positive_places,
    unit_shares,
)
from wetread.survey.masks import describe_masks, mask_areas
from wetread.survey.objects import (
    count_headers,
    count_notes,
    count_objects,
    count_rejects,
    count_values,
    describe_numbers,
    missing_headers,
    pixel_forms,
    transfer_syntaxes,
)
from wetread.survey.patients import (
    count_parts,
    patients_in_parts,
    shared_ids,
    studies_a_patient,
    studies_of_two_patients,
)
from wetread.survey.pixel_copies import same_pixels, same_pixels_across
from wetread.survey.readers import count_reads, disagreements, doubtful_readers, kappa_table
from wetread.survey.series import (
    describe_series,
    describe_studies,
    geometry_counts,
    impossible_spacing,
    series_table,
)
from wetread.survey.tables import (
    change_over_time,
    count_groups,
    describe_columns,
    numbers_by_group,
)
from wetread.survey.units import count_units
from wetread.survey.values import (
    describe_values,
    draw_images,
    sample_values,
    suspected_intercepts,
)

__all__ = [
    "bar_chart",
    "broken_rules",
    "change_over_time",
    "co_occurrence",
    "count_groups",
    "count_headers",
    "count_labels",
    "count_notes",
    "count_objects",
    "count_parts",
    "count_reads",
    "count_rejects",
    "count_units",
    "count_values",
    "describe_columns",
    "describe_masks",
    "describe_numbers",
    "describe_series",
    "describe_studies",
    "describe_values",
    "disagreements",
    "doubtful_labels",
    "doubtful_readers",
    "draw_images",
    "find_damage",
    "geometry_counts",
    "heat_chart",
    "histogram_chart",
    "impossible_spacing",
    "kappa_table",
    "mask_areas",
    "matrix_chart",
    "missing_headers",
    "numbers_by_group",
    "patients_in_parts",
    "pixel_forms",
    "place_chart",
    "positive_places",
    "same_pixels",
    "same_pixels_across",
    "sample_values",
    "series_table",
    "shared_ids",
    "shortcut_table",
    "shortcuts",
    "spread_chart",
    "studies_a_patient",
    "studies_of_two_patients",
    "suspected_intercepts",
    "transfer_syntaxes",
    "unit_shares",
]
