"""Calibration: recorded days played through the product's own code, what its rates would have returned, and the fit."""
