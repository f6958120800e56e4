"""Which screen a finding is about."""

from collections.abc import Mapping

from kho_console import text
from kho_console.model.finding import About, Finding

SCREENS: Mapping[About, str] = {
    About.AVAILABILITY: "doctor",
    About.ARRIVAL: "log",
    About.LIFE_CYCLE: "overview",
    About.COMMAND_LINE: "scratch",
    About.SCRATCH: "scratch",
    About.PRESERVED: "preserved",
    About.BLOBS: "blobs",
    About.SESSIONS: "sessions",
    About.KEXEC: "overview",
    About.CRASH: "crash",
    About.KERNEL_LOG: "log",
    About.PKRAM: "pkram",
    About.KSTATE: "kstate",
}
"""For what a finding is about the screen that shows it."""


def wanted(item: Finding) -> str:
    """What to go to on that screen: a blob, a root tree, an area; empty for nothing."""
    name = None if item.thing.name is None else text.escaped(item.thing.name)
    if item.about is About.BLOBS:
        return f"{'in' if item.thing.incoming else 'out'} {name or 'root-tree'}"
    return name or ""
