"""Entries by their descriptions, and descriptions out of TOML."""

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kho_console.abi.error import FormatError
from kho_console.abi.kstate import encode, toml
from kho_console.abi.kstate.decode import Decoder, strictly
from kho_console.abi.kstate.description import KS
from kho_console.abi.kstate.fixed import compiled
from kho_console.model.kstate import KstateVersion
from tests.abi.kstate.streams import shipped

NUMBERS = st.integers(0, (1 << 64) - 1)
BUFFER = st.fixed_dictionaries(
    {
        "entries": NUMBERS,
        "entries_bytes": NUMBERS,
        "pages": st.lists(st.fixed_dictionaries({"content": st.binary(max_size=20)}), max_size=4),
        "commit_page": NUMBERS,
        "reader_page": NUMBERS,
        "head_page": NUMBERS,
        "tail_page": NUMBERS,
    }
)
TRACE = st.fixed_dictionaries(
    {
        "tracing_on": st.integers(0, 255),
        "tracer": st.binary(max_size=99).filter(lambda name: 0 not in name),
        "buffer": st.fixed_dictionaries({"buffers": st.lists(BUFFER, max_size=4)}),
    }
)


@given(TRACE)
@settings(deadline=None)
def test_the_trace_buffer_of_2024_comes_back(value: dict[str, Any]) -> None:
    registry = shipped(KstateVersion.V1)
    description = registry.get(3)
    assert description is not None
    entry, data = encode.entry(registry, description, value, 1)
    assert strictly(registry, entry, data) == value
    decoder = Decoder(registry, data, 0)
    assert decoder.fields(description, 1, len(data)) == value
    assert (decoder.faults, decoder.warnings) == ([], [])
    for size in (0, 1, len(data) // 2, len(data) - 1):
        with pytest.raises(FormatError):
            strictly(registry, entry, data[:size])
    with pytest.raises(FormatError):
        strictly(registry, entry, data + b"x")


def test_a_nested_size_that_was_changed_shifts_nothing_behind_it() -> None:
    registry = shipped(KstateVersion.V2)
    description = registry.get(3)
    assert description is not None
    value: dict[str, Any] = {"i": -1, "s": b"", "l": 1, "page": 2}
    value["page_struct"] = {"_mapcount": 3, "_refcount": 4}
    _, data = encode.entry(registry, description, value, 1)
    smaller = bytearray(data)
    smaller[-12] = 4
    with pytest.raises(FormatError, match="_refcount"):
        Decoder(registry, bytes(smaller), 0).fields(description, 1, len(data))
    faithful = Decoder(registry, bytes(smaller), 0, bounded=False)
    assert faithful.fields(description, 1, len(data)) == value


FIELD = '[[description]]\nname = "d"\nid = 1\n[[description.field]]\nname = "f"\n'


NESTED = "\n".join(
    FIELD.replace("id = 1", f"id = {at}") + (f"struct = {at + 1}" if at < 65 else 'type = "u8"')
    for at in range(1, 66)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("version = ", "no TOML"),
        ('version = "v9"', "v9"),
        ('version = "v1"\nother = 1', "unknown key 'other'"),
        ('version = "v1"\n[[description]]\nid = 1', "no name"),
        ('version = "v1"\n[[description]]\nname = "d"\nid = "1"', "id is '1'"),
        (f'version = "v1"\n{FIELD}', "wants type"),
        (f'version = "v1"\n{FIELD}type = "u7"', "'u7' is no type"),
        (f'version = "v1"\n{FIELD}type = "char[0]"', "no size"),
        (f'version = "v1"\n{FIELD}type = "char[99999999999999999999]"', "no size"),
        (f'version = "v1"\n{FIELD}type = "u8"\nflags = ["ODD"]', "'ODD' is no flag"),
        (f'version = "v1"\n{FIELD}type = "u8"\ncount = -1', "a count is"),
        (f'version = "v1"\n{FIELD}struct = 2', "nests a description 2"),
        (f'version = "v1"\n{FIELD}struct = 1', "in a circle: d"),
        (f'version = "v1"\n{FIELD}custom = "marked"', "marked wants struct"),
        (f'version = "v1"\n{FIELD}type = "u16"\nflags = ["ARRAY_OF_POINTER"]', "by 2 bytes"),
        (f'version = "v1"\n{NESTED}', "more than 64 deep"),
        ("description = " + "[" * 5000 + "]" * 5000, "too deep in each other"),
        ('version = "v1"\ndescription = 3', "line 2: description is 3"),
        (f'version = "v1"\n{FIELD}type = "u7"', "line 7: d: 'u7' is no type"),
        (f'version = "v1"\n{FIELD}type = "u8"\n{FIELD.replace("= 1", "= 2")}', "line 11: d: f"),
        (f'version = "v1"\n{FIELD}flags = [["BASE_TYPE"]]', "line 7: .* is no flag"),
        # Each series has its own flags.
        (f'version = "v1"\n{FIELD}flags = ["ADDRESS"]', "'ADDRESS' is no flag of v1"),
        (f'version = "v2"\n{FIELD}type = "u8"\nflags = ["DEPRECATED"]', "no flag of v2"),
        (f'version = "v2"\n{FIELD}type = "u8"\nflags = ["SIMPLE"]', "no flag of v2"),
        # A value would hide the other one, and an entry end the stream.
        (
            f'version = "v1"\n{FIELD}type = "u8"\n[[description.field]]\nname = "f"\ntype = "u8"',
            "line 9: d: two fields are called f",
        ),
        (f'version = "v1"\n{FIELD.replace("= 1", "= -1")}type = "u8"', "line 4: d: id -1"),
    ],
)
def test_what_is_no_description(text: str, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        toml.parse(text)


def test_the_plain_flag_has_its_name_of_v1_there() -> None:
    registry = toml.parse(f'version = "v1"\n{FIELD}type = "u8"\nflags = ["SIMPLE", "POINTER"]')
    (description,) = registry
    assert description.fields[0].flags == KS.BASE_TYPE | KS.POINTER


def test_an_array_of_pointers_alone_writes_nothing() -> None:
    lone = f'{FIELD}count = 3\nflags = ["ARRAY_OF_POINTER"]\n'
    registry = toml.parse(
        f'version = "v1"\n{lone}[[description.field]]\nname = "n"\ntype = "u8"\ncount = "cpus"'
    )
    description = registry.get(1)
    assert description is not None
    _, data = encode.entry(registry, description, {"n": [7, 8]}, 1)
    assert data == b"\x07\x08"
    decoder = Decoder(registry, data, 0)
    assert (decoder.fields(description, 0, 2), decoder.faults) == ({"n": [7, 8]}, [])


PLAIN = """version = "v2"
[[description]]
name = "inner"
id = 2
version = 3
[[description.field]]
name = "n"
type = "i16"
[[description]]
name = "outer"
id = 1
version = 2
[[description.field]]
name = "text"
type = "char[6]"
[[description.field]]
name = "words"
type = "u32"
count = 3
[[description.field]]
name = "below"
struct = 2
[[description.field]]
name = "registered"
custom = "nothing"
[[description.field]]
name = "where"
flags = ["ADDRESS"]
[[description.field]]
name = "raw"
type = "bytes[2]"
"""


@given(st.binary(min_size=20, max_size=20), st.binary(min_size=10, max_size=10), st.booleans())
@settings(deadline=None)
@pytest.mark.parametrize("version", ["v2", "dev"])
def test_what_is_fixed_is_read_in_one_go_as_field_by_field(
    version: str, first: bytes, last: bytes, mended: bool
) -> None:
    registry = toml.parse(PLAIN.replace("v2", version))
    description = registry.get(1)
    assert description is not None
    fixed = compiled(registry, description)
    assert fixed is not None
    section = b"" if version == "v2" else struct.pack("<i", 2)
    header = section + struct.pack("<4i", 2, 3 if mended else 4, 0, 2)
    data = first[:18] + header + first[18:] + last
    assert fixed.size == len(data)
    decoder = Decoder(registry, data, 0)
    found = decoder.fields(description, 2, len(data))
    assert fixed.fields(data) == (found if mended else None)
    assert bool(decoder.warnings) is not mended


@pytest.mark.parametrize(
    "field", ['custom = "rest"', 'type = "u8"\ncount = "cpus"', 'type = "u8"\ncount = 5000']
)
def test_what_is_not_fixed_is_left_to_the_decoder(field: str) -> None:
    registry = toml.parse(f'version = "v1"\n{FIELD}{field}')
    (description,) = registry
    assert compiled(registry, description) is None
