"""phantoms/chest: a generator comes in; a chest in three dimensions goes out, and its CT planes.

`chest` (lungs, heart, outline) -> `bones`, `vessels`, `organs`, `lesions` -> `parts` (what each
point of a plane is) -> `paint` (its HU). Canonical coordinates in mm have their origin in the
middle of the chest at the height of the hila.
"""
