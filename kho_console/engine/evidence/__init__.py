"""Evidence in one file: what a machine showed, and what was said of it, with checksums."""
