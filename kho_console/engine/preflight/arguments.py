"""The next kernel's command line: its length, its switches, and what the build makes of them."""

from collections.abc import Iterator

from kho_console.abi.scratch_request import Malformed
from kho_console.engine.findings.words import count
from kho_console.engine.generation import release_number
from kho_console.engine.preflight.situation import Situation
from kho_console.model.check import Check, Result
from kho_console.model.image import ImageFormat
from kho_console.model.unknown import Maybe, Unknown

_ELFCOREHDR_ROOM = 30
"""MAX_ELFCOREHDR_STR_LEN of kexec-bzimage64.c: kept free of normal images, too."""

_DEFAULT = "CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT"


def length(now: Situation) -> Iterator[Check]:
    """x86 refuses what is too long; the others cut it."""
    name, limit, line = (
        "command-line-length",
        now.image.command_line_limit,
        now.request.command_line,
    )
    if b"\0" in line:
        text = "the command line holds a NUL byte, and what follows it is lost"
        at = line.index(0)
        yield Check(name, Result.FAIL, text, f"byte {at} of {len(line)}", "leave it out")
        return
    if isinstance(limit, Unknown):
        text = "how long a command line the kernel takes is not known"
        yield Check(name, Result.UNKNOWN, text, f"{len(line)} bytes; {limit.reason}")
        return
    if _is_x86(now):
        limit -= _ELFCOREHDR_ROOM + 1
    evidence = f"{len(line)} of {limit} bytes"
    if len(line) <= limit:
        yield Check(name, Result.PASS, "the command line is not too long", evidence)
        return
    text = "the command line is too long: " + (
        "the load fails with EINVAL" if _is_x86(now) else "the kernel cuts it"
    )
    yield Check(name, Result.FAIL, text, evidence, f"leave out {len(line) - limit} bytes")


def _is_x86(now: Situation) -> bool:
    return now.image.format is ImageFormat.BZIMAGE or now.image.machine == "x86_64"


def kho(now: Situation) -> Iterator[Check]:
    """Without KHO the next kernel takes nothing, and preserved memory stays lost to it."""
    if not now.hands_over:
        return
    name, given = "kho-argument", now.line.kho
    evidence = _seen("kho", given)
    if now.to_2024:
        text = "a kernel of the 2024 series takes a handover without being told to"
        yield Check(name, Result.PASS, text, evidence)
        return
    if given is True:
        yield Check(name, Result.PASS, "the command line switches KHO on", evidence)
        return
    if given is False:
        text = "the command line switches KHO off: all that is handed over is lost"
        yield Check(name, Result.FAIL, text, evidence, "write kho=on")
        return
    default = _default(now)
    if isinstance(default, Unknown):
        text = "the build decides whether KHO is on, and how it was built is not known"
        yield Check(name, Result.UNKNOWN, text, f"{evidence}; {default.reason}", "write kho=on")
    elif default:
        text = "KHO is on in this kernel by default"
        yield Check(name, Result.PASS, text, f"{evidence}; {_DEFAULT}=y")
    else:
        text = "KHO is off in this kernel without kho=on: all that is handed over is lost"
        yield Check(name, Result.FAIL, text, evidence, "add kho=on to the command line")


def _default(now: Situation) -> Maybe[bool]:
    """Whether the kernel has KHO on without being told; before 6.19 none has."""
    release, config = now.image.release, now.image.config
    number = None if isinstance(release, Unknown) else release_number(release)
    if number is not None and number < (6, 19):
        return False
    return config if isinstance(config, Unknown) else config.get(_DEFAULT) == "y"


def live_update(now: Situation) -> Iterator[Check]:
    """It is off without `liveupdate=on`, whatever the build."""
    found, name = now.live_update, "liveupdate-argument"
    if not now.hands_over or found is None or isinstance(found, Unknown):
        return
    evidence = _seen("liveupdate", now.line.liveupdate)
    if now.line.liveupdate is True:
        yield Check(name, Result.PASS, "the command line switches live update on", evidence)
        return
    sessions = now.held_sessions
    if not isinstance(sessions, Unknown) and not sessions:
        text = "live update is off in the next kernel; no session is held here that would be lost"
        yield Check(name, Result.WARNING, text, evidence, "add liveupdate=on to the command line")
        return
    held = "sessions" if isinstance(sessions, Unknown) else count(len(sessions), "session")
    text = f"live update is off in the next kernel: {held} lost, their memory stays reserved"
    yield Check(name, Result.FAIL, text, evidence, "add liveupdate=on to the command line")


def build(now: Situation) -> Iterator[Check]:
    """The options that the target needs to take a handover, and to show it."""
    if not now.hands_over:
        return
    name, config = "target-config", now.image.config
    if isinstance(config, Unknown):
        text = "how the kernel was built is not known"
        remedy = "put its config-RELEASE beside it"
        yield Check(name, Result.UNKNOWN, text, config.reason, remedy)
        return
    option = "KEXEC_KHO" if now.to_2024 else "KEXEC_HANDOVER"
    options = [option, "KEXEC_FILE"]
    release = now.image.release
    number = None if isinstance(release, Unknown) else release_number(release)
    if not now.to_2024 and (number is None or number >= (6, 19)):
        options.append("KEXEC_HANDOVER_DEBUGFS")
        if now.live_update is not None:
            options.append("LIVEUPDATE")
    off = [f"CONFIG_{item}" for item in options if config.get(f"CONFIG_{item}") != "y"]
    if not off:
        text = "the kernel is built with what a handover needs"
        evidence = ", ".join(f"CONFIG_{item}=y" for item in options)
        yield Check(name, Result.PASS, text, evidence)
        return
    needed = f"CONFIG_{option}" in off
    text = (
        "the kernel is built without KHO: all that is handed over is lost"
        if needed
        else "the kernel is built without something that is in use here"
    )
    evidence = ", ".join(f"{item} is not set" for item in off)
    result = Result.FAIL if needed else Result.WARNING
    yield Check(name, result, text, evidence, "give a kernel that is built with it")


def _seen(name: str, given: bool | Malformed | None) -> str:
    match given:
        case None:
            return f"no {name}= on the command line"
        case Malformed():
            return f"{name}= is malformed and ignored: {given.reason}"
        case _:
            return f"{name}={'on' if given else 'off'}"
