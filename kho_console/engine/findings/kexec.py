"""Loading images and rebooting into them."""

from collections.abc import Iterator

from kho_console.engine import paths
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import plain
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.unknown import Maybe

_SHUT = {
    "integrity": "images without a trusted signature cannot be loaded, and out/finalize is shut "
    "where the kernel has it",
    "confidentiality": "images without a trusted signature cannot be loaded, out/finalize is shut "
    "where the kernel has it, and preserved memory cannot be read through /proc/kcore",
}


def lockdown(facts: Facts) -> Iterator[Found]:
    """Secure Boot brings it, or the command line."""
    mode = facts.snapshot.machine.lockdown
    if isinstance(mode, str) and mode != "none":
        yield Found(
            Severity.WARNING,
            "lockdown",
            f"Kernel lockdown is in force ({plain(mode)}): "
            f"{_SHUT.get(mode, 'parts of the kernel are shut')}.",
            (Evidence(paths.LOCKDOWN, mode), *facts.given("lockdown")),
            "Use signed images; to lift it, boot without lockdown= and without Secure Boot.",
        )


def load_disabled(facts: Facts) -> Iterator[Found]:
    """One way until the next boot."""
    if facts.snapshot.kexec.load_disabled is True:
        yield Found(
            Severity.WARNING,
            "kexec_load_disabled",
            "Loading and unloading of images is switched off for the rest of this boot.",
            (Evidence(f"{paths.SYSCTL}/kexec_load_disabled", "1"),),
            "Only a reboot switches it on again; find out who sets it at boot.",
        )


def limit_spent(facts: Facts) -> Iterator[Found]:
    """No call is left."""
    for name, left in _limits(facts):
        if left == 0:
            yield Found(
                Severity.ERROR,
                name,
                f"No {_kind(name)} can be loaded or unloaded any more in this boot: its limit is "
                "spent.",
                (Evidence(f"{paths.SYSCTL}/{name}", "0"),),
                "Only a reboot gives new calls.",
            )


def limit_low(facts: Facts) -> Iterator[Found]:
    """Each load costs one, as do unloads and loads that fail."""
    for name, left in _limits(facts):
        if left == 1:
            yield Found(
                Severity.WARNING,
                name,
                f"One call is left for {_kind(name)}s. Loading, unloading and a failed try each "
                "cost one.",
                (Evidence(f"{paths.SYSCTL}/{name}", "1"),),
                "Check the image before you load it.",
            )


def reboot_will_kexec(facts: Facts) -> Iterator[Found]:
    """A loaded image is taken by a plain reboot too, on most distributions."""
    if facts.snapshot.kexec.loaded is not True:
        return
    text = "An image is loaded: the next reboot goes into it without the firmware."
    if facts.snapshot.unavailable is None:
        text += " Only kexec_file_load attaches the handover; no file tells how it was loaded."
    yield Found(
        Severity.INFO,
        "loaded image",
        text,
        (Evidence(paths.KEXEC_LOADED, "1"),),
        "To reboot through the firmware, unload it first (kexec -u).",
    )


def _limits(facts: Facts) -> tuple[tuple[str, Maybe[int]], ...]:
    kexec = facts.snapshot.kexec
    return (
        ("kexec_load_limit_reboot", kexec.load_limit_reboot),
        ("kexec_load_limit_panic", kexec.load_limit_panic),
    )


def _kind(name: str) -> str:
    return "crash image" if name.endswith("panic") else "image"


RULES = (
    Rule("kexec-limit-spent", "no load is left", limit_spent, About.KEXEC),
    Rule("kexec-limit-low", "one load is left", limit_low, About.KEXEC),
    Rule("kexec-load-disabled", "loading is switched off", load_disabled, About.KEXEC),
    Rule("lockdown", "kernel lockdown is in force", lockdown, About.KEXEC),
    Rule("reboot-will-kexec", "an image is loaded", reboot_will_kexec, About.KEXEC),
)
