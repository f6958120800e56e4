"""The terminal UI: it shows views of a machine and asks; it decides and computes nothing."""
