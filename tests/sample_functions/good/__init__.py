"""Functions that work, one for each thing that a function can do."""
