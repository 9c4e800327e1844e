"""The parts that a stack is made of, one file each; program.py wires them."""
