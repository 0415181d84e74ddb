"""training/series: networks over whole series: encoders of crops and a sequence network over
them."""
