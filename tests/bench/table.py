"""What the benches found, as one table."""

from collections.abc import Iterable
from dataclasses import dataclass

HEADS = ("what", "reference", "ours", "ratio", "target", "")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured.

    Attributes:
        what: What was done.
        reference: What it is held against, with its unit.
        ours: What we took, in the same unit.
        ratio: Ours by the reference; None where nothing could be measured.
        target: The ratio not to exceed; None for what is only reported.
        note: Why nothing was measured.
    """

    what: str
    reference: str = ""
    ours: str = ""
    ratio: float | None = None
    target: float | None = None
    note: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return (
            self.what,
            self.reference,
            self.ours,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            "" if self.target is None else f"{self.target:g}",
            self.verdict,
        )

    @property
    def verdict(self) -> str:
        if self.ratio is None:
            return f"not measured: {self.note}"
        if self.target is None:
            return "reported"
        return "ok" if self.ratio <= self.target else "OVER"


def table(rows: Iterable[Row]) -> str:
    """The rows below their heads, in aligned columns."""
    lines = [HEADS, *(row.cells for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEADS))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if 0 < at < len(HEADS) - 1 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms" if seconds < 0.1 else f"{seconds * 1e3:.0f} ms"


def mebibytes(size: float) -> str:
    return f"{size / (1 << 20):.1f} MiB"
