"""labels: label files come in, a LabelTable goes out.

In: CSV files in the forms people have them (one row a label, one column a finding, or one row a
run-length mask), and which image is of which patient.
Out: `LabelTable`, one row a label: level, id, finding, value in 0..1 or unknown (null), and the
masks that are known, as run-length text.
Duplicates that agree are dropped and counted; those that disagree become unknown and are listed.
"""
