"""phantoms/angiogram: a chest comes in; a CT pulmonary angiogram of known truth goes out."""
