"""The figures that the docs name. `python -m benchmarks [NAME …]` prints them with the method; nothing is asserted."""
