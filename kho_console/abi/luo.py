"""The `LUO` blob of the Live Update Orchestrator.

A device tree `luo-v1` from 6.19 to 7.1, a packed struct `luo-v5` from 7.2 on (kernel/liveupdate/,
include/linux/kho/abi/luo.h). Versions 2 to 4 lived only inside the 7.2 merge window.
"""

import re

from kho_console.abi import fdt
from kho_console.abi.error import FormatError
from kho_console.abi.native import U64, named, number, string, word
from kho_console.abi.text import c_string
from kho_console.model.blob import Field, LuoHeader
from kho_console.model.tree import FlatTree, TreeNode
from kho_console.model.unknown import Cause, Maybe, Unknown

NAME = b"LUO"
TREE = b"luo-v1"
STRUCT = b"luo-v5"
SESSION_TREE = b"luo-session-v2"
_FLB_TREE = b"luo-flb-v1"
_WORD = re.compile(rb"luo-v[0-9]{1,4}(;[ -~]*)?")


def struct_word(data: bytes) -> bytes | None:
    """The compatible word at the start of a struct, None where there is no such word.

    The field is the word with its NUL rounded up to 8 bytes, and the rest of it is zero.
    """
    found = c_string(data[:256])
    if not _WORD.fullmatch(found) or any(data[len(found) : _width(found)]):
        return None
    return found


def decode_struct(data: bytes) -> tuple[LuoHeader, tuple[Field, ...]]:
    """The header and its fields in a struct blob.

    Raises:
        FormatError: It is no `luo-v5` struct.
    """
    compatible = struct_word(data)
    if compatible is None:
        raise FormatError(0, "no luo-v word")
    if compatible.partition(b";")[0] != STRUCT:
        raise FormatError(0, f"version {compatible.decode()}, not luo-v5")
    width = _width(compatible)
    if len(data) < width + 3 * U64:
        raise FormatError(len(data), f"{len(data)} bytes are too few for luo-v5")
    update, sessions, flbs = (
        int.from_bytes(data[at : at + U64], "little") for at in range(width, width + 24, U64)
    )
    fields = (
        Field("compatible", 0, width, compatible, "text"),
        Field("liveupdate_num", width, U64, update, "count"),
        Field("sessions_pa", width + U64, U64, sessions, "address"),
        Field("flbs_pa", width + 2 * U64, U64, flbs, "address"),
    )
    return LuoHeader(compatible, update, sessions, flbs, "blocks"), fields


def encode_struct(header: LuoHeader) -> bytes:
    """The struct blob of a header.

    Raises:
        FormatError: The header has no FLB address.
    """
    if isinstance(header.flbs, Unknown):
        raise FormatError(0, "luo-v5 has an FLB address, 0 for none")
    words = (header.liveupdate_number, header.sessions, header.flbs)
    tail = b"".join(value.to_bytes(U64, "little") for value in words)
    return header.compatible.ljust(_width(header.compatible), b"\0") + tail


def decode_tree(tree: FlatTree) -> tuple[LuoHeader, tuple[Field, ...]]:
    """The header and its fields in a `luo-v1` tree.

    Raises:
        FormatError: The tree is damaged, of another version, or incomplete.
    """
    if tree.faults:
        raise FormatError(tree.faults[0].offset, tree.faults[0].reason)
    compatible = named(tree.root, b"compatible")
    if c_string(compatible.value) != TREE:
        raise FormatError(compatible.offset, "not luo-v1")
    update, update_at = word(tree.root, b"liveupdate-number", U64)
    sessions = tree.root.child(b"luo-session")
    if sessions is None:
        raise FormatError(0, "no /luo-session node")
    session_format = named(sessions, b"compatible")
    head, head_at = word(sessions, b"luo-session-header", U64)
    fields = [
        Field("/liveupdate-number", update_at, U64, update, "count"),
        Field("/luo-session/luo-session-header", head_at, U64, head, "address"),
    ]
    flbs: Maybe[int] = Unknown(Cause.ABSENT, "6.19 has no FLB node")
    if (node := tree.root.child(b"luo-flb")) is not None:
        flbs, flbs_at = word(node, b"luo-flb-header", U64)
        fields.append(Field("/luo-flb/luo-flb-header", flbs_at, U64, flbs, "address"))
    kind = c_string(session_format.value).decode("latin-1")
    return LuoHeader(TREE, update, head, flbs, kind), tuple(fields)


def encode_tree(header: LuoHeader) -> bytes:
    """The `luo-v1` tree of a header; without an FLB node where its address is absent (6.19)."""
    children = [
        TreeNode(
            b"luo-session",
            (
                string(b"compatible", SESSION_TREE),
                number(b"luo-session-header", header.sessions),
            ),
        )
    ]
    if not isinstance(header.flbs, Unknown):
        flb = (string(b"compatible", _FLB_TREE), number(b"luo-flb-header", header.flbs))
        children.append(TreeNode(b"luo-flb", flb))
    properties = (
        string(b"compatible", header.compatible),
        number(b"liveupdate-number", header.liveupdate_number),
    )
    return fdt.write_sequential(TreeNode(b"", properties, tuple(children)))


def _width(compatible: bytes) -> int:
    return (len(compatible) + 1 + 7) // 8 * 8
