"""The verb `bundle`: evidence in one file, and whether such a file is whole."""

import json
import tempfile
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from kho_console import text
from kho_console.cli import exit_code, output, writing
from kho_console.documents import machine
from kho_console.documents.over_time import bundled
from kho_console.documents.shape import Document
from kho_console.engine.diagnose import diagnose
from kho_console.engine.doctor import examine
from kho_console.engine.evidence import bundle as engine
from kho_console.engine.evidence.gather import gather
from kho_console.engine.evidence.manifest import BundleError, Manifest
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source, recording_of
from kho_console.engine.timeline import at_end
from kho_console.engine.verdict import judge


def bundle(source: Source, wanted: Namespace) -> int:
    """Pack what a source shows."""
    place = Path(wanted.file)
    if place.exists() or place.is_symlink():
        output.say(text.escaped(f"{place} is there already; name another file"))
        return exit_code.REFUSED
    recording = None if wanted.source is None else recording_of(wanted.source)
    if not at_end(source):
        # A recording opens at its end, and would not show what the documents beside it say.
        recording = None
    journal = writing.journal_file(source, wanted)
    try:
        with tempfile.TemporaryDirectory(prefix="kho-console-") as made:
            # By its name is what is shown called: the same evidence is the same file.
            folder = Path(made) / "bundle"
            folder.mkdir(mode=0o700)
            shown, facts = gather(source, folder, recording, journal, redacted=wanted.redact)
            for name, content in _said(shown if wanted.redact else source, shown).items():
                (folder / name).write_text(json.dumps(content, indent=2) + "\n")
            packed = engine.pack(folder, place, facts)
    except OSError as error:
        output.say(text.escaped(f"{error.filename or place}: {error.strerror or error}"))
        return exit_code.NOT_AVAILABLE
    _tell(place, packed, (), wanted)
    return exit_code.DONE


def verify(wanted: Namespace) -> int:
    """Check a bundle; bad news if anything in it is not what was packed."""
    place = Path(wanted.file)
    try:
        packed, faults = engine.verify(place)
    except BundleError as error:
        output.say(text.escaped(f"{place}: {error}"))
        return exit_code.NOT_AVAILABLE
    _tell(place, packed, faults, wanted)
    return exit_code.BAD_NEWS if faults else exit_code.DONE


def _said(source: Source, shown: Source) -> dict[str, Document]:
    """What this console says of it, findings among it."""
    seen = observe(shown)
    findings = diagnose(seen)
    checks = examine(source, seen if source is shown else observe(source))
    return {
        "status.json": machine.status(seen, findings, asdict(judge(seen, findings))),
        "doctor.json": machine.checks(checks),
    }


def _tell(place: Path, packed: Manifest, faults: tuple[str, ...], wanted: Namespace) -> None:
    if wanted.json:
        output.document(bundled(str(place), asdict(packed), faults))
        return
    size = text.size(sum(size for size, _ in packed.files.values()))
    redacted = ", redacted" if packed.redacted else ""
    machine = f"{text.escaped(packed.host)}, {text.escaped(packed.release)}"
    files = text.count(len(packed.files), "file")
    output.line(f"{text.escaped(str(place))}: {files}, {size}, of {machine}{redacted}")
    for fault in faults:
        output.line(f"    {text.escaped(fault)}")
    if not faults:
        output.line("    every checksum is right")
