"""phantoms/chest: a seed comes in; a chest in three dimensions, its organs, bones and vessels go
out."""
