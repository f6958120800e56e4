"""Streams as the posted series would write them, byte by byte, and the shipped descriptions."""

from pathlib import Path

from kho_console.abi.kstate import toml
from kho_console.abi.kstate.description import Registry
from kho_console.abi.kstate.stream import Walk
from kho_console.abi.reader import Bytes
from kho_console.model.kstate import KstateEntry, KstateVersion
from kho_console.model.tree import Fault

_SHIPPED = Path(__file__).parents[3] / "kho_console" / "descriptions"

V1 = bytes.fromhex(
    """02 00 00 00 01 00 00 00 01 00 00 00 1e 00 00 00
    0a 00 00 00 61 62 63 64 65 66 67 68 6b 00 14 00
    00 00 00 00 00 00 00 00 40 00 00 ea ff ff 01 00
    00 00 00 00 00 00 01 00 00 00 0d 00 00 00 01 00
    00 00 00 00 00 00 10 00 00 00 00 ff ff ff ff"""
)
V1_NESTED = bytes.fromhex(
    """04 00 00 00 00 00 00 00 00 00 00 00 40 00 00 00
    05 00 00 00 00 00 00 00 00 00 00 00 10 00 00 00
    07 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00
    05 00 00 00 00 00 00 00 00 00 00 00 10 00 00 00
    07 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00 ff ff ff ff"""
)
V2 = bytes.fromhex(
    """03 00 00 00 01 00 00 00 01 00 00 00 36 00 00 00
    0a 00 00 00 61 62 63 64 65 66 67 68 6b 00 14 00
    00 00 00 00 00 00 00 00 40 00 00 00 00 00 02 00
    00 00 00 00 00 00 00 00 00 00 08 00 00 00 ff ff
    ff ff 01 00 00 00 ff ff ff ff"""
)
V3 = bytes.fromhex(
    """8c 77 37 3b 02 00 00 00 03 00 00 00 02 00 00 00
    7b 00 00 00 1a 00 00 00 61 62 63 64 65 66 67 68
    6b 00 14 00 00 00 00 00 00 00 00 00 00 10 00 00
    00 00 01 00 00 00 04 00 00 00 01 00 00 00 7b 00
    00 00 04 00 00 00 0a 00 00 00 02 00 00 00 02 00
    00 00 01 00 00 00 01 00 00 00 10 00 00 00 00 00
    00 20 00 00 00 00 00 10 00 00 00 00 00 00 ff ff
    ff ff"""
)


def shipped(version: KstateVersion) -> Registry:
    """The descriptions of a series that come with the console."""
    return toml.parse((_SHIPPED / f"kstate-{version}.toml").read_text())


def walked(data: bytes, version: KstateVersion) -> tuple[list[KstateEntry], list[Fault], bool]:
    """The entries of a stream, what is wrong with it, and whether it ends as it should."""
    walk = Walk(Bytes(data), version)
    return list(walk.entries()), walk.faults, walk.terminated
