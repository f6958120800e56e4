r"""Files of udev rules that load a crash image anew when CPUs or memory come or go.

A rule is a line of comma-separated matches and assignments, `\` joins lines, `#` begins a comment,
and GOTO leads on to a LABEL further down (udev(7)). Since 6.6 the kernel may update the image
itself, and then a match of `ATTRS{crash_hotplug}` keeps the rules from loading it
(Documentation/admin-guide/mm/memory-hotplug.rst, Documentation/core-api/cpu_hotplug.rst).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from kho_console.abi.uevent import SUBSYSTEMS
from kho_console.model.value import dataclass

NAME = re.compile(r"[^/]*(?:kdump|kexec|crash)[^/]*\.rules")
"""What distributions call these files."""

_ACTIONS = ("add", "remove", "online", "offline")
_TOKEN = re.compile(
    r"\b([A-Z_]{1,32}(?:\{[^}\"]{1,128}\})?)\s{0,16}([=!+:-]?=)\s{0,16}[ie]?"
    r"\"((?:[^\"\\]|\\.)*)\""
)
_RUNS = re.compile(r"RUN(\{\w{1,16}\})?|PROGRAM|IMPORT\{program\}|ENV\{SYSTEMD_WANTS\}")
_LOADER = re.compile(r"kdump|kexec|crash(?!_hotplug)")
_LONGEST = 256
"""Characters of a pattern that is looked at."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A line.

    Attributes:
        matches: What must hold: key, whether it must be equal, and pattern.
        loads: Whether it runs something that loads a crash image.
        goto: The label that it leads to.
        label: The label that it is.
    """

    matches: tuple[tuple[str, bool, str], ...]
    loads: bool
    goto: str | None
    label: str | None

    def holds(self, event: Mapping[str, str | None]) -> bool | None:
        """Whether its matches hold; None where that depends on what is not known of the event."""
        known = [found for found in self.matches if found[0] in event]
        if not all(_holds(event[key], equal, pattern) for key, equal, pattern in known):
            return False
        return True if len(known) == len(self.matches) else None


def reloads(data: bytes) -> tuple[str, ...]:
    """The subsystems, `cpu` or `memory`, at whose events these rules load an image.

    These are events of a kernel that updates the image itself.
    """
    rules = tuple(map(_rule, _lines(data.decode("utf-8", "surrogateescape"))))
    if not any(rule.loads for rule in rules):
        return ()
    return tuple(
        name
        for name in SUBSYSTEMS
        if any(_reaches_a_load(rules, _event(name, action)) for action in _ACTIONS)
    )


def _event(subsystem: str, action: str) -> dict[str, str | None]:
    """What the matches of rules see of an event; None where the device has no such attribute.

    A CPU or block has no `crash_hotplug` of its own: the file is in the folder above it.
    """
    device = f"{subsystem}1"
    return {
        "ACTION": action,
        "DEVPATH": f"/devices/system/{subsystem}/{device}",
        "SUBSYSTEM": subsystem,
        "SUBSYSTEMS": subsystem,
        "KERNEL": device,
        "KERNELS": device,
        "ATTR{crash_hotplug}": None,
        "ATTR{../crash_hotplug}": "1",
        "ATTRS{crash_hotplug}": "1",
    }


def _reaches_a_load(rules: Sequence[_Rule], event: Mapping[str, str | None]) -> bool:
    """Whether an event may come to a rule that loads; every way on is tried where one is open."""
    label_at = {rule.label: at for at, rule in enumerate(rules) if rule.label is not None}
    reached = {0}
    for at, rule in enumerate(rules):
        if at not in reached:
            continue
        holds = rule.holds(event)
        if rule.loads and holds is not False:
            return True
        if rule.goto is not None and holds is not False:
            # Where there is no such label further down, the end of the file must be meant.
            reached.add(max(label_at.get(rule.goto, len(rules)), at + 1))
        if rule.goto is None or holds is not True:
            reached.add(at + 1)
    return False


def _rule(line: str) -> _Rule:
    tokens = _TOKEN.findall(line)
    assigned = {key: value for key, operator, value in tokens if operator not in ("==", "!=")}
    return _Rule(
        tuple(
            (key, operator == "==", value)
            for key, operator, value in tokens
            if operator in ("==", "!=")
        ),
        any(
            _RUNS.fullmatch(key) and _LOADER.search(value)
            for key, operator, value in tokens
            if operator not in ("!=", "-=")
        ),
        assigned.get("GOTO"),
        assigned.get("LABEL"),
    )


def _holds(value: str | None, equal: bool, patterns: str) -> bool:
    """Whether a match holds; of an attribute that is not there neither `==` nor `!=` does."""
    if value is None:
        return False
    return equal is any(fnmatchcase(value, one) for one in patterns[:_LONGEST].split("|"))


def _lines(text: str) -> Iterator[str]:
    """Rules, joined; a comment ends with its line, and may stand between the lines of a rule."""
    begun = ""
    for line in map(str.strip, text.split("\n")):
        if line.startswith("#"):
            continue
        if line.endswith("\\"):
            begun += line[:-1] + " "
            continue
        if begun or line:
            yield begun + line
        begun = ""
