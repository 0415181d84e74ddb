"""phantoms/radiograph: a chest comes in; a chest radiograph of known truth goes out."""
