"""Loading and unloading images, always by `kexec_file_load`."""

from collections.abc import Iterable
from dataclasses import replace

from kho_console.engine import paths, preflight
from kho_console.engine.image_files import NOBODY, Watch
from kho_console.engine.preflight import loading as loads
from kho_console.model.action import Action, Expectation, NotApplicable, Plan, Risk
from kho_console.model.change import SIMULATED, KexecImage, Load, Unload
from kho_console.model.check import Check, Result
from kho_console.model.snapshot import Snapshot
from kho_console.source.protocol import SourceError, SourceKind

_CERTAIN = frozenset(
    {"image-complete", "image-format", "architecture", "initrd-format", "crash-region-fit"}
)
"""What must be known of a crash image: the kernel drops the old one before it reads the new one."""


def load(snapshot: Snapshot, image: KexecImage, watch: Watch = NOBODY) -> Plan:
    """Load an image, after its files were validated against the machine.

    Raises:
        CancelledError: The reading of its files was called off.
    """
    simulated = image.kernel.startswith(SIMULATED)
    if simulated and snapshot.source.kind == SourceKind.LIVE:
        reason = f"{image.kernel} is no file: it is a kernel that only a twin has"
        return NotApplicable("load", reason, "give the kernel's file")
    try:
        found = preflight.check(snapshot, image, watch)
    except SourceError as error:
        reason = f"the image cannot be read: {error.unknown.reason}"
        return NotApplicable("load", reason, "give another file")
    disk = None if found.initrd is None else found.initrd.identity
    change = Load(image, found.image.identity, disk)
    if simulated and snapshot.source.kind == SourceKind.TWIN:
        return loading(snapshot, change, map(_lenient, found.checks))
    return loading(snapshot, change, found.checks)


def loading(snapshot: Snapshot, change: Load, validation: Iterable[Check]) -> Action:
    """The load of an image that was validated.

    Args:
        snapshot: The machine.
        change: What to load, with the files that were validated.
        validation: What is known of it before anything is loaded.
    """
    image = change.image
    replaces = image.crash and snapshot.kexec.crash_loaded is not False
    inverse = "unload --crash" if image.crash else "unload"
    what = "the crash image" if image.crash else "the image that the next reboot starts"
    return Action(
        name="load",
        title=f"load {what}",
        changes=(change,),
        preconditions=tuple(validation),
        undone_by=None if replaces else inverse,
        risk=Risk.LOSS if replaces else Risk.SMALL,
        expects=(_expected(image.crash, True),),
        effects=_effects(snapshot, image.crash),
        certain=_CERTAIN if image.crash else frozenset(),
    )


def unload(snapshot: Snapshot, crash: bool = False) -> Plan:
    """Drop the loaded image, or the crash image."""
    loaded = snapshot.kexec.crash_loaded if crash else snapshot.kexec.loaded
    checks = [loads.switch(snapshot.kexec), loads.calls_left(snapshot.kexec, crash=crash)]
    if loaded is False:
        text = f"no {'crash ' if crash else ''}image is loaded; the call costs one of the limit"
        checks.append(Check("loaded", Result.WARNING, text, f"{_file(crash)}: 0"))
    effects = (
        ("From then on a panic of this machine leaves no dump.",)
        if crash
        else ("A reboot goes through the firmware again, and nothing is handed over.",)
    )
    return Action(
        name="unload",
        title=f"unload the {'crash ' if crash else ''}image",
        changes=(Unload(crash),),
        preconditions=tuple(checks),
        undone_by=None if crash else "load",
        risk=Risk.LOSS if crash else Risk.SMALL,
        expects=(_expected(crash, False),),
        effects=effects,
    )


def _file(crash: bool) -> str:
    return paths.CRASH_LOADED if crash else paths.KEXEC_LOADED


def _expected(crash: bool, loaded: bool) -> Expectation:
    return Expectation(_file(crash), "1" if loaded else "0")


def _lenient(item: Check) -> Check:
    """What a live machine would be kept from can be tried where there is nothing to lose."""
    if item.result not in (Result.FAIL, Result.UNKNOWN):
        return item
    return replace(item, result=Result.WARNING, text=f"{item.text} (a twin may try)")


def _effects(snapshot: Snapshot, crash: bool) -> tuple[str, ...]:
    if crash and snapshot.kexec.crash_loaded is False:
        return ()
    if crash:
        return (
            "The kernel frees the crash image that is loaded now before it reads the new one: "
            "until the load is through, and for good where it fails, a panic leaves no dump.",
        )
    effects = ["On most distributions a plain reboot goes into the loaded image, too."]
    if snapshot.kexec.loaded is True:
        effects.append("It takes the place of the image that is loaded now.")
    return tuple(effects)
