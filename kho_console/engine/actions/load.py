"""Loading and unloading images, always by `kexec_file_load`."""

from collections.abc import Iterable
from dataclasses import replace

from kho_console.engine import paths, preflight
from kho_console.engine.image_files import NOBODY, Watch
from kho_console.model.action import Action, Expectation, NotApplicable, Plan, Risk
from kho_console.model.change import SIMULATED, KexecImage, Load, Unload
from kho_console.model.check import Check, Result
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
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
        checks = preflight.check(snapshot, image, watch).checks
    except SourceError as error:
        reason = f"the image cannot be read: {error.unknown.reason}"
        return NotApplicable("load", reason, "give another file")
    if simulated and snapshot.source.kind == SourceKind.TWIN:
        return loading(snapshot, image, map(_lenient, checks))
    return loading(snapshot, image, checks)


def loading(snapshot: Snapshot, image: KexecImage, validation: Iterable[Check]) -> Action:
    """The load of an image that was validated.

    Args:
        snapshot: The machine.
        image: What to load.
        validation: What is known of it before anything is loaded.
    """
    what = "the crash image" if image.crash else "the image that the next reboot starts"
    return Action(
        name="load",
        title=f"load {what}",
        changes=(Load(image),),
        preconditions=tuple(validation),
        undone_by=None if image.crash else "unload",
        risk=Risk.LOSS if image.crash else Risk.SMALL,
        expects=(_expected(image.crash, True),),
        effects=_effects(snapshot, image.crash),
        certain=_CERTAIN if image.crash else frozenset(),
    )


def unload(snapshot: Snapshot, crash: bool = False) -> Plan:
    """Drop the loaded image, or the crash image."""
    loaded = snapshot.kexec.crash_loaded if crash else snapshot.kexec.loaded
    checks = _allowed(snapshot, crash)
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


def _allowed(snapshot: Snapshot, crash: bool) -> list[Check]:
    """The switch and the limit; every call spends one, an unload and a failed load too."""
    found = []
    if snapshot.kexec.load_disabled is True:
        text = "loading and unloading is switched off until the next reboot"
        evidence = f"{paths.SYSCTL}/kexec_load_disabled: 1"
        found.append(Check("load-disabled", Result.FAIL, text, evidence, "reboot"))
    name = f"kexec_load_limit_{'panic' if crash else 'reboot'}"
    left = snapshot.kexec.load_limit_panic if crash else snapshot.kexec.load_limit_reboot
    if isinstance(left, Unknown) or left < 0:
        return found
    evidence = f"{paths.SYSCTL}/{name}: {left}"
    if left == 0:
        text = "the limit of such calls in this boot is used up"
        found.append(Check("load-limit", Result.FAIL, text, evidence, "reboot"))
    else:
        text = f"{left} such call{'s are' if left > 1 else ' is'} left; this one is the next"
        result = Result.WARNING if left == 1 else Result.PASS
        found.append(Check("load-limit", result, text, evidence))
    return found


def _lenient(item: Check) -> Check:
    """What a live machine would be kept from can be tried where there is nothing to lose."""
    if item.result not in (Result.FAIL, Result.UNKNOWN):
        return item
    return replace(item, result=Result.WARNING, text=f"{item.text} (a twin may try)")


def _effects(snapshot: Snapshot, crash: bool) -> tuple[str, ...]:
    if crash:
        return (
            "The kernel frees the crash image that is loaded now before it reads the new one: "
            "until the load is through, and for good where it fails, a panic leaves no dump.",
        )
    effects = ["On most distributions a plain reboot goes into the loaded image, too."]
    if snapshot.kexec.loaded is True:
        effects.append("It takes the place of the image that is loaded now.")
    return tuple(effects)
