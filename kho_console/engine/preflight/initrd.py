"""The initial RAM disk: the system call never looks inside."""

from collections.abc import Iterator

from kho_console.engine.preflight.naming import name as named
from kho_console.engine.preflight.situation import Situation
from kho_console.model.check import Check, Result
from kho_console.model.unknown import Cause, Unknown


def readable(now: Situation) -> Iterator[Check]:
    """Whether the next kernel can unpack it."""
    name = "initrd-format"
    if now.initrd is None:
        yield Check(name, Result.PASS, "no initrd is given")
        return
    members, releases = now.initrd.members, now.initrd.releases
    wrong = members if isinstance(members, Unknown) else releases
    if isinstance(wrong, Unknown) and wrong.cause is Cause.INVALID:
        place = "" if wrong.offset is None else f"at 0x{wrong.offset:x}: "
        text = "the initrd is damaged, cut short, or none"
        remedy = "make it again, or copy it again"
        yield Check(name, Result.FAIL, text, f"{place}{wrong.reason}", remedy)
    elif isinstance(wrong, Unknown):
        text = "the initrd cannot be looked through"
        yield Check(name, Result.UNKNOWN, text, wrong.reason)
    else:
        listed = ", ".join(() if isinstance(members, Unknown) else members)
        yield Check(name, Result.PASS, "the initrd can be unpacked", listed)


def modules(now: Situation) -> Iterator[Check]:
    """Whether its modules are those of the kernel."""
    if now.initrd is None or isinstance(now.initrd.releases, Unknown):
        return
    name, release, found = "initrd-modules", now.image.release, now.initrd.releases
    evidence = f"modules of {', '.join(map(named, found)) or 'no kernel'}"
    if not found:
        text = "the initrd holds no modules: the kernel must have all it needs built in"
        yield Check(name, Result.PASS, text, evidence)
    elif isinstance(release, Unknown):
        text = "whether the initrd's modules fit the kernel is not known"
        yield Check(name, Result.UNKNOWN, text, f"{evidence}; {release.reason}")
    elif release in found:
        text = "the initrd holds the kernel's modules"
        yield Check(name, Result.PASS, text, f"{named(release)}; {evidence}")
    else:
        text = "the initrd holds modules of another kernel"
        evidence = f"the kernel is {named(release)}; {evidence}"
        yield Check(name, Result.WARNING, text, evidence, "give the initrd of this kernel")
