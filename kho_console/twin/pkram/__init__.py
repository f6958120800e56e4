"""PKRAM as a kernel runs it: its API with every refusal and assertion, and its reboots."""

from kho_console.twin.pkram.api import Pkram
from kho_console.twin.pkram.node import KernelBug, NullDereference, Stream, UsedAfterFree
from kho_console.twin.pkram.quirks import Quirk
from kho_console.twin.pkram.reboot import Linked, boot, reboot
from kho_console.twin.pkram.stub import PkramStub

__all__ = [
    "KernelBug",
    "Linked",
    "NullDereference",
    "Pkram",
    "PkramStub",
    "Quirk",
    "Stream",
    "UsedAfterFree",
    "boot",
    "reboot",
]
