"""`record --handover`: a note of what must survive the kexec, for `verify` behind it."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from kho_console import text, text_over_time
from kho_console.cli import exit_code, output
from kho_console.documents import verification as documents
from kho_console.engine.observe import observe
from kho_console.engine.opening import LIVE, Source
from kho_console.engine.runbook.place import in_memory
from kho_console.engine.verify import note_file, owner_file
from kho_console.engine.verify.note import note
from kho_console.model.verification import Note


def handover_note(source: Source, wanted: Namespace) -> int:
    """Write the note; bad news if something that is declared will not survive."""
    place = Path(wanted.file)
    try:
        declared = owner_file.read(Path(wanted.inventory)) if wanted.inventory else ()
    except owner_file.OwnerFileError as error:
        output.say(text.escaped(str(error)))
        return exit_code.USAGE
    seen = observe(source)
    if seen.unavailable is not None:
        output.say(f"there is no handover to note: {text.why(seen.unavailable)}")
        return exit_code.NOT_AVAILABLE
    made, doubted = note(source, seen, declared)
    doubted += _fleeting(source, place)
    try:
        note_file.write(made, place)
    except note_file.NoteError as error:
        output.say(f"{text.escaped(str(error))}; name another file")
        return exit_code.REFUSED
    except OSError as error:
        output.say(f"{text.escaped(str(place))}: {error.strerror or error}")
        return exit_code.NOT_AVAILABLE
    if wanted.json:
        output.document(documents.handover_note(str(place), made, doubted))
    else:
        for line in _lines(place, made):
            output.line(line)
    for words in doubted:
        output.say(text.escaped(words))
    return exit_code.BAD_NEWS if doubted else exit_code.DONE


def _fleeting(source: Source, place: Path) -> tuple[str, ...]:
    """Why the note of a live machine would not be there behind the kexec."""
    try:
        why = in_memory(place.parent) if source.kind == LIVE else None
    except OSError:
        return ()
    return () if why is None else (why,)


def _lines(place: Path, made: Note) -> Iterator[str]:
    summed = sum(item.sha256 is not None for item in made.items)
    items = text.count(len(made.items), "item")
    yield f"{text.escaped(str(place))}: {items}, {summed} with a checksum"
    for item in made.items:
        how = "checksum noted" if item.sha256 else f"no checksum: {text.escaped(item.why)}"
        yield f"    {text_over_time.noted(item)}  {how}"
