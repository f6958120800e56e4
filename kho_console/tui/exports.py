"""What is written to files: to the user's state folder and nowhere else.

A view of a large host takes long to write, so it is done on a daemon thread, and a file has its
content only when all of it is there.
"""

import errno
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from textual.app import App
from textual.geometry import Region
from textual.message import Message

from kho_console.config.places import state_folder
from kho_console.engine.observer import View
from kho_console.tui.section import Section
from kho_console.tui.widgets.painted import Painted

if TYPE_CHECKING:
    from kho_console.documents.shape import Document

_ONLY_MINE = 0o600


def write(name: str, suffix: str, pieces: Iterable[str]) -> Path:
    """Write text under the first free name, `overview-1.svg`, and answer its path.

    The name is taken by an empty file, which is replaced once everything is written.

    Raises:
        OSError: It cannot be written.
    """
    folder = state_folder()
    if folder is None:
        raise FileNotFoundError(errno.ENOENT, "there is no home to write to")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = _taken(folder, name, suffix)
    part = path.with_name(f"{path.name}.part")
    try:
        # What a killed run left behind is written over.
        part.touch(_ONLY_MINE)
        with part.open("w", encoding="utf-8") as file:
            file.writelines(pieces)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        raise
    return path


def streamed(head: "Document", key: str, items: "Iterable[Document]") -> Iterator[str]:
    """A JSON document whose list under `key` is written item by item, a line each."""
    opening = json.dumps({name: value for name, value in head.items() if name != key})
    yield f'{opening[:-1]}, "{key}": [\n'
    before = ""
    for item in items:
        yield f"{before}{json.dumps(item)}"
        before = ",\n"
    yield "\n]}\n"


@runtime_checkable
class Exporter(Protocol):
    """A screen that knows itself what it exports."""

    def exported(self) -> Mapping[str, Iterable[str]] | None:
        """Pieces of text by suffix of the file, `json` among them; None where it has nothing."""
        ...


class Written(Message):
    """Files were written, or could not be."""

    def __init__(self, words: str) -> None:
        """Carry what to say of it."""
        super().__init__()
        self.words = words


class Exporting(App[int], inherit_bindings=False):
    """An application that writes what its screens show.

    Attributes:
        view: The latest view.
    """

    view: View | None = None

    def action_export_view(self) -> None:
        """Write the document of the view that is shown."""
        screen = self.screen
        if not isinstance(screen, Section):
            return
        pieces = self._document(screen)
        if pieces is None:
            screen.say("x no document of this screen; T writes it as text")
        else:
            write_soon(self, screen.subject, {"json": pieces})

    def action_export_text(self) -> None:
        """Write the screen as text."""
        if isinstance(self.screen, Section):
            write_soon(self, self.screen.subject, {"txt": [screen_text(self.screen)]})

    def action_picture(self) -> None:
        """Write the screen as a picture."""
        if not isinstance(self.screen, Section):
            return
        try:
            path = write(self.screen.subject, "svg", [self.export_screenshot()])
        except OSError as error:
            self.screen.say(f"x no picture: {error}")
        else:
            self.screen.say(f"written: {path}")

    def on_written(self, message: Written) -> None:
        """Say where it is, on whatever screen is up by now."""
        if isinstance(self.screen, Section):
            self.screen.say(message.words)

    def _document(self, screen: Section) -> Iterable[str] | None:
        from kho_console.tui import view_documents

        if isinstance(screen, Exporter):
            return (screen.exported() or {}).get("json")
        if self.view is None or screen.subject not in view_documents.SHAPES:
            return None
        return view_documents.pieces(screen.subject, self.view)


def write_soon(app: App[int], name: str, contents: Mapping[str, Iterable[str]]) -> None:
    """Write files on a thread, and send the application a `Written` when it is done."""

    def work() -> None:
        try:
            paths = [write(name, suffix, pieces) for suffix, pieces in contents.items()]
        except OSError as error:
            app.post_message(Written(f"x not written: {error}"))
        else:
            others = "".join(f", {path.name}" for path in paths[1:])
            app.post_message(Written(f"written: {paths[0]}{others}"))

    threading.Thread(target=work, name="kho-export", daemon=True).start()


def screen_text(screen: Section) -> str:
    """What a screen shows, as text of the same width and height."""
    width, height = screen.size
    lines = [" " * width] * height
    for widget in screen.query(Painted):
        place = widget.region.intersection(Region(0, 0, width, height))
        if not widget.display or not place:
            continue
        drawn = widget.render_lines(Region(0, 0, place.width, place.height))
        for y, strip in enumerate(drawn, place.y):
            shown = strip.text[: place.width].ljust(place.width)
            lines[y] = lines[y][: place.x] + shown + lines[y][place.right :]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _taken(folder: Path, name: str, suffix: str) -> Path:
    for number in count(1):
        path = folder / f"{name}-{number}.{suffix}"
        try:
            path.touch(_ONLY_MINE, exist_ok=False)
        except FileExistsError:
            continue
        return path
    raise AssertionError
