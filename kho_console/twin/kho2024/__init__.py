"""The kernel of the series of 2024: state inline in one tree, copied when an image is loaded.

kernel/kexec_kho_out.c and kexec_kho_in.c as posted. What the postings leave open is named where
it is decided.
"""
