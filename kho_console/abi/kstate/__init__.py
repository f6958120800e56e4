"""kstate, which was never merged: streams of state and the descriptions that give them meaning.

Layouts are those of x86-64: little-endian, `int` of 4 bytes, no padding, no alignment.
"""
