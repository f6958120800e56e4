"""Which screen a finding is about."""

from collections.abc import Mapping

from kho_console import text
from kho_console.engine.findings import (
    arrival,
    availability,
    blobs,
    crash,
    hotplug,
    kernel_warnings,
    kexec,
    lifecycle,
    liveupdate,
    options,
    preserved,
    reserved,
    scratch,
    sessions,
    tree,
)
from kho_console.engine.findings.rule import Rule
from kho_console.model.finding import Finding

_RULES: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("doctor", availability.RULES),
    ("blobs", (*tree.RULES, *blobs.RULES, *reserved.RULES)),
    ("scratch", (*scratch.RULES, *options.RULES)),
    ("preserved", (*preserved.RULES, *hotplug.RULES)),
    ("sessions", (*sessions.RULES, *liveupdate.RULES)),
    ("overview", (*lifecycle.RULES, *kexec.RULES, *crash.RULES)),
    ("log", (*arrival.RULES, *kernel_warnings.RULES)),
)

SCREENS: Mapping[str, str] = {rule.id: screen for screen, rules in _RULES for rule in rules}
"""For the id of each finding the screen that shows what it is about."""


def wanted(item: Finding) -> str:
    """What to go to on that screen: a blob, a session, an area.

    A blob is told by the file that shows the finding, as its subject may be a thing inside.
    """
    for seen in item.evidence:
        folder, found, name = seen.path.rpartition("/sub_fdts/")
        if found:
            return f"{folder.rpartition('/')[2]} {text.escaped(name)}"
    root_tree = {"outgoing root tree": "out root-tree", "incoming root tree": "in root-tree"}
    subject = text.escaped(item.subject)
    return root_tree.get(subject, subject.removeprefix("scratch "))
