"""labels: label files come in, a LabelTable goes out.

In: CSV files in the forms people have them (one row a label, or one column a finding).
Out: `LabelTable`, one row a label: level, id, finding, value in 0..1 or unknown (null).
Duplicates that agree are dropped and counted; those that disagree become unknown and are listed.
"""
