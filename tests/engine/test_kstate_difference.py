"""What differs between two streams of kstate."""

import struct

from kho_console.abi.reader import Bytes
from kho_console.engine.formats.kstate import KstateStream
from kho_console.engine.mechanisms.kstate_difference import Fate, differences
from kho_console.model.kstate import DecodedEntry, KstateEntry, KstateVersion
from kho_console.model.unknown import Cause, Unknown

V1 = KstateVersion.V1


def entries(*found: tuple[int, int, int]) -> list[DecodedEntry]:
    """Entries of the test of v1 by instance, with a number; the others of no description."""
    parts = []
    for state_id, instance, number in found:
        data = struct.pack("<i26s", number, b"") if state_id == 2 else struct.pack("<i", number)
        parts.append(struct.pack("<4i", state_id, 1, instance, len(data)) + data)
    stream = KstateStream(Bytes(b"".join(parts) + b"\xff" * 4), V1, placed=True)
    return list(stream.entries())


def test_differences_come_as_the_streams_have_them() -> None:
    first = entries((2, 2, 7), (2, 10, 7), (2, 1, 7), (99, 1, 1))
    second = entries((99, 1, 1), (2, 1, 8), (2, 10, 9), (77, 1, 1), (2, 2, 7), (2, 2, 7))
    found = [
        (item.fate, (item.before or item.after), [field.path for field in item.fields])
        for item in differences(first, second)
    ]
    assert [(fate, item and item.entry.instance_id, fields) for fate, item, fields in found] == [
        (Fate.CHANGED, 10, ["i"]),
        (Fate.CHANGED, 1, ["i"]),
        (Fate.ADDED, 1, []),
        (Fate.ADDED, 2, []),
    ]


def test_sizes_differ_where_contents_are_too_large_to_be_known() -> None:
    large = Unknown(Cause.UNSUPPORTED, "too large")

    def of(size: int) -> DecodedEntry:
        return DecodedEntry(KstateEntry(0, None, 9, 1, 1, size, 16), large, large, large)

    assert [item.fate for item in differences([of(1 << 25)], [of(1 << 26)])] == [Fate.CHANGED]
    assert not list(differences([of(1 << 25)], [of(1 << 25)]))
