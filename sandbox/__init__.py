"""An AWS organization with databases on one machine: for demo, tests and benchmarks, never for the product."""
