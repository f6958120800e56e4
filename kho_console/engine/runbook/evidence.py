"""What a run holds against the machine: an image before it, and after it what was written down."""

from collections.abc import Mapping
from pathlib import Path

from kho_console.engine import preflight as preflights
from kho_console.engine.image_files import Watch
from kho_console.engine.observe import observe
from kho_console.engine.recorder import Limits, Recorder, RecordingError
from kho_console.engine.runbook import actions
from kho_console.engine.runbook.error import RunError
from kho_console.engine.verify import note_file
from kho_console.engine.verify import verify as verification
from kho_console.engine.verify.note import note
from kho_console.model.check import Check, Result
from kho_console.model.unknown import Unknown
from kho_console.model.verification import Fate, Standing, Verification
from kho_console.source.protocol import Source, SourceError

ARRIVAL = "arrival"
"""The check whether a handover arrived that can be held against a note at all."""

_RESULTS = {
    Fate.MISSING: Result.FAIL,
    Fate.UNKNOWN: Result.UNKNOWN,
    Fate.ARRIVED: Result.PASS,
    Fate.UNCHANGED: Result.PASS,
    Fate.RELEASED: Result.PASS,
}
_ARRIVALS = {
    Standing.VERIFIED: Result.PASS,
    Standing.PARTLY: Result.PASS,
    Standing.MISSING: Result.FAIL,
    Standing.UNKNOWN: Result.UNKNOWN,
    Standing.NO_HANDOVER: Result.FAIL,
    Standing.SAME_BOOT: Result.FAIL,
    Standing.OTHER_HOST: Result.FAIL,
}


def preflight(source: Source, arguments: Mapping[str, str], watch: Watch) -> tuple[Check, ...]:
    """Hold an image against the machine; of a twin nothing less is wanted than of a real one.

    Raises:
        CancelledError: The reading of the image was called off.
    """
    snapshot = observe(source)
    image = actions.image(snapshot, arguments)
    if isinstance(image, Unknown):
        return (Check("image", Result.FAIL, "the command line is not known", image.reason),)
    try:
        return preflights.check(snapshot, image, watch).checks
    except SourceError as error:
        return (Check("image", Result.FAIL, "it cannot be read", error.unknown.reason),)


def record(source: Source, folder: Path, name: str) -> str:
    """Record the machine as it is, and note what must survive a kexec; the same in words.

    Raises:
        RunError: It cannot be written.
    """
    path = folder.absolute() / f"{name}.khorec"
    seen = observe(source)
    try:
        with Recorder(source, path, Limits(duration=0.0)) as recorder:
            recorder.run()
        if seen.unavailable is not None:
            return f"recorded in {path}"
        made, doubts = note(source, seen)
        note_file.write(made, _note(folder, name))
    except (OSError, RecordingError, note_file.NoteError) as error:
        raise RunError(f"{path}: {error}") from error
    return "; ".join((f"recorded in {path}, with {len(made.items)} items to look for", *doubts))


def verify(source: Source, folder: Path, name: str, *, any_host: bool = False) -> tuple[Check, ...]:
    """Hold the machine against what was noted before."""
    try:
        made = note_file.read(_note(folder, name))
    except note_file.NoteError as error:
        return (Check(ARRIVAL, Result.UNKNOWN, "there is no note to hold it against", str(error)),)
    found = verification.verify(source, observe(source), made, any_host=any_host)
    items = (
        Check(
            str(item.item.kind),
            _RESULTS[item.fate],
            f"{item.item.name.decode('utf-8', 'backslashreplace')} {item.fate}".strip(),
            item.why,
        )
        for item in found.traced
    )
    return (_arrival(found), *items)


def _arrival(found: Verification) -> Check:
    """The answer to all of it; what cannot be known is not taken for arrived."""
    result, text = _ARRIVALS.get(found.standing, Result.WARNING), str(found.standing)
    doubts = sum(item.fate is Fate.UNKNOWN for item in found.traced)
    if doubts and result in (Result.PASS, Result.WARNING):
        result, text = Result.WARNING, f"nothing is known to be missing; {doubts} cannot be known"
    return Check(ARRIVAL, result, text, "; ".join(found.remarks) or None)


def _note(folder: Path, name: str) -> Path:
    return folder.absolute() / f"{name}.note"
