"""The options of the verbs that deal with recordings."""

import argparse
import re

AT = (
    "the moment of a recording: 2026-11-21T10:00:00 (UTC), HH:MM:SS, +SECONDS from its start, "
    "--at=-5m before its end, event:N, action:N, finding:N, moment:N, start or end (default: end)"
)

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", re.ASCII)
_SIZE = re.compile(r"(\d{1,15})([kmg]?)i?b?", re.ASCII | re.IGNORECASE)


def add_record(verb: argparse.ArgumentParser) -> None:
    """What `record` takes."""
    verb.add_argument(
        "file", metavar="FILE", nargs="?", help="the recording; one that is there goes on"
    )
    verb.add_argument(
        "--for", dest="duration", metavar="TIME", type=_duration, help="end after 90, 5m, 2h or 1d"
    )
    verb.add_argument(
        "--every", metavar="TIME", type=_duration, help="from one moment to the next (default: 1)"
    )
    verb.add_argument(
        "--max-size",
        metavar="SIZE",
        type=_size,
        help="keep at most 500k, 100M or 2G: at the half FILE becomes FILE.1, and begins anew",
    )
    _add_note(verb)
    verb.add_argument(
        "--max-age", metavar="TIME", type=_duration, help="let go of what is older, in the same way"
    )
    verb.add_argument(
        "--unit",
        action="store_true",
        help="print a systemd unit that records all the time, for "
        "/etc/systemd/system/kho-console-record.service; it records nothing by itself",
    )


def _add_note(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--handover",
        action="store_true",
        help="make FILE a note of what must survive the kexec, for verify behind it",
    )
    verb.add_argument(
        "--inventory",
        metavar="FILE",
        help="with --handover: what owners declare, as TOML with [[keep]] entries",
    )


def add_capture(verb: argparse.ArgumentParser) -> None:
    """What `capture` takes."""
    verb.add_argument("folder", metavar="FOLDER", help="a new folder, or an empty one")
    verb.add_argument(
        "--scramble",
        action="store_true",
        help="for others to see: no names, no command lines, and no memory but what is decoded",
    )


def add_bundle(verb: argparse.ArgumentParser) -> None:
    """What `bundle` takes."""
    new = "the new bundle, or verify; of a recording at --at it is a capture of that moment"
    verb.add_argument("what", metavar="FILE|verify", help=new)
    verb.add_argument("file", metavar="FILE", nargs="?", help="with verify: the bundle")
    verb.add_argument(
        "--redact",
        action="store_true",
        help="for others to see: a scrambled capture of one moment, and no journal",
    )


def add_verify(verb: argparse.ArgumentParser) -> None:
    """What `verify` takes."""
    verb.add_argument("file", metavar="FILE", help="the note of record --handover")
    verb.add_argument(
        "--any-host", action="store_true", help="this is the host of the note, under another name"
    )


def add_diff(verb: argparse.ArgumentParser) -> None:
    """What `diff` takes."""
    form = "live, a fixture folder, a recording (FILE or FILE@TIME), or a shipped recording"
    verb.add_argument("file", metavar="PATH", help=f"the first moment: {form}")
    verb.add_argument("other", metavar="OTHER-PATH", help="the second moment, likewise")
    verb.add_argument(
        "--ranges",
        action="store_true",
        help="list the preserved ranges that only one of them has, too",
    )


def fault(wanted: argparse.Namespace) -> str | None:
    """What is wrong with these options; None for nothing."""
    if wanted.verb == "record" and (wanted.file is None) != wanted.unit:
        return "record: give the FILE to record to, or --unit alone"
    if wanted.at is None:
        return None
    from kho_console.engine.moments import NoMomentError, finder

    if wanted.twin is not None:
        return "--at is the moment of a recording, --twin FILE goes on by itself: give one of them"
    if wanted.verb != "replay" and wanted.source is None:
        return "--at is the moment of a recording: give --source FILE"
    try:
        finder(wanted.at)
    except NoMomentError as error:
        return f"--at: {error}"
    return None


def _duration(word: str) -> float:
    found = _DURATION.fullmatch(word)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not seconds:
        raise argparse.ArgumentTypeError(f"{word!r} is no time such as 90, 5m, 2h or 1d")
    return seconds


def _size(word: str) -> int:
    found = _SIZE.fullmatch(word)
    size = int(found[1]) * _BYTES[found[2].lower()] if found else 0
    if not size:
        raise argparse.ArgumentTypeError(f"{word!r} is no size such as 500k, 100M or 2G")
    return size
