"""The recordings that tests run over."""

from pathlib import Path

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"

RECORDINGS = tuple(
    str(found.parent.relative_to(FIXTURES))
    for found in sorted(FIXTURES.glob("linux-*/*/manifest.json"))
)
"""Their names, as `linux-7.3.4/sessions`."""


def folder(name: str) -> Path:
    """The folder of a recording."""
    return FIXTURES / name
