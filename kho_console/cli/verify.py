"""The verb `verify`: what of a note has arrived in this kernel."""

import textwrap
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kho_console import text, text_over_time
from kho_console.cli import exit_code, output
from kho_console.documents import verification as documents
from kho_console.engine.observe import observe
from kho_console.engine.opening import Source
from kho_console.engine.verify import note_file
from kho_console.engine.verify import verify as engine
from kho_console.model.verification import Fate, Standing, Verification

_WIDTH = 80

_ANSWERS = {
    Standing.VERIFIED: (exit_code.DONE, "nothing is missing"),
    Standing.PARTLY: (exit_code.DONE, "nothing is known to be missing"),
    Standing.MISSING: (exit_code.BAD_NEWS, "something is missing"),
    Standing.UNKNOWN: (exit_code.NOT_AVAILABLE, "this kernel does not let it be known"),
    Standing.NO_HANDOVER: (exit_code.BAD_NEWS, "all is lost: no handover came in"),
    Standing.NOTHING: (exit_code.NOT_AVAILABLE, "the note names nothing: nothing can be verified"),
    Standing.SAME_BOOT: (
        exit_code.NOT_AVAILABLE,
        "no kexec happened yet: this is the boot of the note",
    ),
    Standing.OTHER_HOST: (
        exit_code.REFUSED,
        "the note is of another host; --any-host where this one was renamed",
    ),
}


def verify(source: Source, wanted: Namespace) -> int:
    """Hold the note against the machine; bad news if something is missing."""
    try:
        note = note_file.read(Path(wanted.file))
    except note_file.NoteError as error:
        output.say(text.escaped(str(error)))
        return exit_code.NOT_AVAILABLE
    found = engine.verify(source, observe(source), note, any_host=wanted.any_host)
    code, answer = _ANSWERS[found.standing]
    if wanted.json:
        output.document(documents.verification(found))
        return code
    unknown = sum(item.fate is Fate.UNKNOWN for item in found.traced)
    if code == exit_code.DONE and unknown:
        answer = f"{_ANSWERS[Standing.PARTLY][1]}; {unknown} cannot be known"
    output.line(f"VERIFY  {answer}")
    for line in _lines(found):
        output.line(line)
    return code


def _lines(found: Verification) -> Iterator[str]:
    note = found.note
    made = f"{text.escaped(note.host)}, {text.escaped(note.release)}, {text.escaped(note.made)}"
    yield f"note    {made}"
    yield f"        boot {text.escaped(note.boot or 'not known')}"
    yield f"now     {text.escaped(found.host)}, {text.escaped(found.release)}"
    yield f"        boot {text.escaped(text.told(found.boot, str))}"
    for words in found.remarks:
        yield from _wrapped("remark  ", text.escaped(words))
    counted = Counter(item.fate for item in found.traced)
    for fate in Fate:
        if counted[fate]:
            yield ""
            yield f"{fate}: {counted[fate]}"
            for item in found.traced:
                if item.fate is fate:
                    yield from _wrapped("    ", text_over_time.traced(item))


def _wrapped(first: str, words: str) -> list[str]:
    indent = " " * (len(first) + 2)
    return textwrap.wrap(
        words, _WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False
    )
