"""Whether the two readers of device trees agree: libfdt, and the one that salvages.

They share nothing but the header and its limits, so where they differ one of them is wrong, or
the tree is made to be read in two ways.
"""

from functools import lru_cache

from kho_console.abi import fdt, fdt_salvage
from kho_console.abi.error import FormatError
from kho_console.abi.fdt_header import read_header
from kho_console.model.tree import FlatTree, TreeNode

_KEPT = 64
_LARGEST = 1 << 20
"""Bytes; the kernel's trees are a page, and a larger one is not read twice."""


@lru_cache(maxsize=_KEPT)
def disagreement(data: bytes) -> str | None:
    """What the readers say differently of a tree that is whole, in one phrase.

    None where they agree, also in refusing it, and for what is cut, has no header, or more than
    1 MiB.
    """
    if len(data) > _LARGEST:
        return None
    try:
        size = read_header(data).totalsize
    except FormatError:
        return None
    if len(data) < size:
        return None
    ours, why_not_ours = _salvaged(data[:size])
    try:
        theirs = fdt.read_whole(data[:size])
    except fdt.BindingFailed:
        return None
    except FormatError as error:
        return None if ours is None else f"libfdt refuses it ({error}), our reader takes all of it"
    if ours is None:
        return f"libfdt takes all of it, our reader does not ({why_not_ours})"
    return _difference(theirs.root, ours.root)


def _salvaged(data: bytes) -> tuple[FlatTree | None, str]:
    try:
        found = fdt_salvage.read(data)
    except FormatError as error:
        return None, str(error)
    if found.faults:
        return None, f"at 0x{found.faults[0].offset:x}: {found.faults[0].reason}"
    return found, ""


def _difference(theirs: TreeNode, ours: TreeNode) -> str | None:
    """The first node that differs, in wire order."""
    pending = [(theirs, ours, b"")]
    while pending:
        one, other, path = pending.pop()
        here = (path + b"/" + one.name).replace(b"//", b"/").decode("ascii", "backslashreplace")
        if one.name != other.name or one.properties != other.properties:
            return f"they read the node {here} differently"
        if len(one.children) != len(other.children):
            return f"they count the children of {here} differently"
        below = zip(one.children, other.children, strict=True)
        pending.extend((a, b, path + b"/" + one.name) for a, b in reversed(list(below)))
    return None
