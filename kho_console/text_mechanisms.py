"""PKRAM and kstate on one line."""

from collections.abc import Iterable

from kho_console import text
from kho_console.model.kho2024 import FateShare
from kho_console.model.mechanism import KstateSeen, PkramSeen
from kho_console.model.unknown import Unknown


def pkram(seen: PkramSeen) -> str:
    """The series, its nodes and their pages."""
    image = seen.image
    if isinstance(image, Unknown):
        return text.why(image)
    pages = sum(item.page_bytes for node in image.nodes for item in node.objects)
    return f"{image.version}, {text.count(len(image.nodes), 'node')} with {text.size(pages)}"


def kstate(seen: KstateSeen) -> str:
    """The series, the entries, and where the stream is."""
    entries = text.explained(seen.entries, lambda known: _count(len(known), seen))
    return f"{seen.version}, {entries}, {text.escaped(seen.place)}"


def _count(number: int, seen: KstateSeen) -> str:
    words = text.count(number, "entry", "entries")
    return f"the first {words}" if seen.cut else words


def fates(found: Iterable[FateShare]) -> str:
    """What became of incoming memory: `8.0 KiB in 2 ranges claimed, 4.0 KiB in 1 range waiting`."""
    parts = (
        f"{text.size(item.bytes)} in {text.count(item.ranges, 'range')} {item.fate}"
        for item in found
    )
    return ", ".join(parts) or "what was claimed or returned of it is not seen"
