"""Kernels in Python: what happens on finalize, abort, load and execute, over simulated memory."""

from kho_console.twin.faults import (
    Fault,
    LoadFails,
    MemoryShort,
    NextKernelPanics,
    ProducerRefuses,
    WriteFails,
)
from kho_console.twin.image import ImageTold, Tell, simulated
from kho_console.twin.keep import Kept, KeptError
from kho_console.twin.machine import Outcome, Twin
from kho_console.twin.source import TwinSource
from kho_console.twin.start import CannotSimulate, twin_of

__all__ = [
    "CannotSimulate",
    "Fault",
    "ImageTold",
    "Kept",
    "KeptError",
    "LoadFails",
    "MemoryShort",
    "NextKernelPanics",
    "Outcome",
    "ProducerRefuses",
    "Tell",
    "Twin",
    "TwinSource",
    "WriteFails",
    "simulated",
    "twin_of",
]
