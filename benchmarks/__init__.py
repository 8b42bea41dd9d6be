"""Measurements, each as a ratio to a bare floor taken in the same run. `make bench`."""
