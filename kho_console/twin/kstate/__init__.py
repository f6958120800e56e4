"""kstate as a kernel runs it: state that is registered, saved, carried over and restored."""

from kho_console.twin.kstate.defects import Defect, KernelFault
from kho_console.twin.kstate.kernel import Kstate
from kho_console.twin.kstate.later import KstateV3

__all__ = ["Defect", "KernelFault", "Kstate", "KstateV3"]
