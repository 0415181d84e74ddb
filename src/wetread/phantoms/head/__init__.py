"""phantoms/head: a seed comes in; a head CT of known truth goes out."""
