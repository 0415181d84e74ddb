"""archive/identity: what identifies a patient, and what stands in its place."""
