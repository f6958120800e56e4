"""PKRAM, which was never merged: nodes of preserved memory and the pages that describe them.

Layouts are those of x86-64, little-endian, with pages of 4 KiB; each structure has a page of its
own and is named by its page frame number.
"""
