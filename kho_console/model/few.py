"""Few things are handled by plain Python, many by numpy.

To import numpy takes longer than all else that a verb does on most hosts; on the largest ones
nothing else is quick enough. Both ways give the same.
"""

FEW = 1 << 12
"""Plain Python handles so many in a fraction of the time that the import takes."""


def few(count: int) -> bool:
    """Whether so many addresses, runs or records are few."""
    return count <= FEW
