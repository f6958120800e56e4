"""Guided procedures: read, run, interrupted and gone on with, across a kexec too."""
