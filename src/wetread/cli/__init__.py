"""cli: words on a command line in, a verb's result as lines or JSON out."""
