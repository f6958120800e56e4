"""Live-update sessions, and who holds the device."""

import os
from collections.abc import Iterator

from kho_console.abi import luo
from kho_console.engine import paths
from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.engine.findings.words import count, listed, plain, size
from kho_console.model.blob import BlobState
from kho_console.model.finding import About, Evidence, Severity
from kho_console.model.session import Direction, Session
from kho_console.model.unknown import Unknown

_SUBJECT = "live-update sessions"


def waiting(facts: Facts) -> Iterator[Found]:
    """Nobody has asked for them yet, so their memory is still held."""
    found = _waiting(facts)
    if not found:
        return
    names = listed([session.name for session in found])
    remedy = (
        "Let their owners retrieve and finish them; what is not wanted goes with the next reboot."
    )
    if facts.snapshot.liveupdate_device is False:
        remedy = "Live update is off, so nobody can retrieve them here: the next reboot frees them."
    yield Found(
        Severity.WARNING,
        _SUBJECT,
        f"{count(len(found), 'session')} of the previous kernel still to be retrieved: {names}. "
        f"Their files ({_file_bytes(found)}) hold memory until then, and the next kexec does not "
        "carry them.",
        tuple(Evidence(_records(facts), _told(session)) for session in found),
        remedy,
    )


def unlisted(facts: Facts) -> Iterator[Found]:
    """The records are gone once the device was opened; from 7.2 on often before."""
    incoming, inventory = facts.snapshot.incoming, facts.snapshot.inventory
    if isinstance(incoming, Unknown) or facts.snapshot.liveupdate_device is not True:
        return
    blob = incoming.blob(luo.NAME)
    if blob is None or isinstance(inventory.sessions, Unknown) or _waiting(facts):
        return
    opened = bool(inventory.device_holders or inventory.sessions)
    if opened or blob.state is not BlobState.VALID:
        seen = Evidence("/proc/*/fd", f"{paths.LIVEUPDATE} or a session is open")
        if not opened:
            seen = Evidence(_records(facts), f"{blob.state}: {blob.reason}")
        yield Found(
            Severity.INFO,
            _SUBJECT,
            "Sessions of the previous kernel that nobody has retrieved cannot be listed any more; "
            "if there are any, their memory stays held until the next reboot.",
            (seen,),
            "Ask the agents that made them whether they have retrieved all of theirs.",
        )


def device_held(facts: Facts) -> Iterator[Found]:
    """Only one open description of the device may exist."""
    holders = facts.snapshot.inventory.device_holders
    if holders:
        first = holders[0]
        yield Found(
            Severity.INFO,
            paths.LIVEUPDATE,
            f"{paths.LIVEUPDATE} is held by process {first.pid} ({plain(first.command)}): "
            "everybody else who opens it gets EBUSY.",
            tuple(
                Evidence(f"/proc/{holder.pid}/fd", f"{paths.LIVEUPDATE} open") for holder in holders
            ),
        )


def without_image(facts: Facts) -> Iterator[Found]:
    """They are staged, and a reboot would drop them."""
    found = [item for item in _held(facts) if item.direction is Direction.OUTGOING]
    if found and facts.snapshot.kexec.loaded is False:
        yield Found(
            Severity.WARNING,
            _SUBJECT,
            f"{count(len(found), 'session')} staged for the next kernel, and no image is loaded: "
            "a reboot now loses them.",
            (
                *(Evidence(f"/proc/{item.holders[0].pid}/fd", _told(item)) for item in found),
                Evidence(paths.KEXEC_LOADED, "0"),
            ),
            "Load the next kernel with kexec_file_load before the reboot.",
        )


def image_without(facts: Facts) -> Iterator[Found]:
    """An image is ready and nothing of user space goes along."""
    snapshot = facts.snapshot
    device = snapshot.liveupdate_device is True and snapshot.unavailable is None
    if device and snapshot.kexec.loaded is True and snapshot.inventory.sessions == ():
        yield Found(
            Severity.INFO,
            _SUBJECT,
            "An image is loaded and no process holds a live-update session: the kexec carries "
            "nothing that belongs to user space.",
            (Evidence(paths.KEXEC_LOADED, "1"), Evidence("/proc/*/fd", "no session")),
            "If an agent should preserve something, see that it runs and has done so.",
        )


def _file_bytes(found: list[Session]) -> str:
    """What the files hold, as far as that is known."""
    total, whole = 0, True
    for session in found:
        whole = whole and not isinstance(session.files, Unknown)
        for file in () if isinstance(session.files, Unknown) else session.files:
            if isinstance(file.size, Unknown):
                whole = False
            else:
                total += file.size
    if whole:
        return size(total)
    return f"at least {size(total)}" if total else "of sizes not known here"


def _records(facts: Facts) -> str:
    return f"{facts.where.blobs(facts.where.incoming)}/LUO"


def _told(session: Session) -> str:
    return f"session {os.fsdecode(session.name)}"


def _sessions(facts: Facts) -> tuple[Session, ...]:
    found = facts.snapshot.inventory.sessions
    return () if isinstance(found, Unknown) else found


def _held(facts: Facts) -> list[Session]:
    return [item for item in _sessions(facts) if item.holders]


def _waiting(facts: Facts) -> list[Session]:
    return [
        item
        for item in _sessions(facts)
        if item.direction is Direction.INCOMING and not item.holders
    ]


RULES = (
    Rule(
        "sessions-waiting", "sessions of the previous kernel hold memory", waiting, About.SESSIONS
    ),
    Rule("sessions-unlisted", "whether sessions wait cannot be seen", unlisted, About.SESSIONS),
    Rule(
        "sessions-without-image",
        "sessions are staged, no image is loaded",
        without_image,
        About.SESSIONS,
    ),
    Rule(
        "image-without-sessions",
        "an image is loaded, no session staged",
        image_without,
        About.SESSIONS,
    ),
    Rule("device-held", "somebody holds the live-update device", device_held, About.SESSIONS),
)
