"""Asks for an image: its files, its command line, and what it is for."""

import os
from collections.abc import Iterable
from functools import partial

from textual import events
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from kho_console import text
from kho_console.engine.file_names import Completed, completed, whole
from kho_console.engine.observer import View
from kho_console.model.change import KexecImage
from kho_console.model.check import Check
from kho_console.model.unknown import Maybe, Unknown
from kho_console.tui import action_rows, wishes
from kho_console.tui.background import Reading, begin
from kho_console.tui.dialogs.action import ActionDialog
from kho_console.tui.dialogs.dialog import Dialog
from kho_console.tui.lookout import Failure
from kho_console.tui.rows import Row, flowed, row, wrapped
from kho_console.tui.signs import RESULTS
from kho_console.tui.widgets.choice import Choice
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.wish import Examined

_FIELDS = {"kernel": "kernel", "initrd": "initrd", "line": "cmd line"}
_FILES = ("kernel", "initrd")
_MOST_NAMES = 200
_KEYS = "Tab completes, Up Down move, Esc cancels"


class Field(Input):
    """A field that Enter leaves at once: keys that come in one go reach the next one."""

    async def action_submit(self) -> None:
        """See `Input.action_submit`."""
        self.screen.focus_next()


class ImageDialog(Dialog):
    """Changes nothing: checks what is asked for, and leads to the dialog that loads it."""

    AUTO_FOCUS = "#kernel"

    def __init__(self, view: View, *, at_once: bool = False, crash: bool = False) -> None:
        """Ask about an image for the machine of `view`.

        Args:
            view: The machine.
            at_once: Whether the image of last time is checked without being asked for again.
            crash: Whether the first one is for a crash.
        """
        super().__init__()
        self._view = view
        self._at_once = at_once
        self._crash = crash
        self._reused: Maybe[bytes] = b""
        self._prefilled = ""
        self._reading: Reading | None = None
        self._checks: tuple[Check, ...] | None = None
        self._names: tuple[str, ...] = ()
        self._problem = ""

    def fields(self) -> Iterable[Widget]:
        """See `Dialog.fields`."""
        for name in _FIELDS:
            with Horizontal(classes="field"):
                yield Panel(id=f"{name}-label", classes="label")
                yield Field(compact=True, select_on_focus=False, id=name)

    def choices(self) -> Iterable[Choice]:
        """See `Dialog.choices`."""
        yield Choice("cancel", "Cancel")
        yield Choice("for", "for a reboot")
        yield Choice("check", "Check")
        yield Choice("load", "Load")

    def on_mount(self) -> None:
        """Begin with the image of last time, or with the running command line."""
        for name, label in _FIELDS.items():
            self.query_one(f"#{name}-label", Panel).show([row((f" {label:<9}", "strong"))])
        last = self.changes.examined
        if last is not None and self._crash and not last.image.crash:
            last = None
        if last is not None:
            self._crash = last.image.crash
            self._entry("kernel").value = last.image.kernel
            self._entry("initrd").value = last.image.initrd or ""
            self._checks = last.checks
        self._fill_line(None if last is None else last.image.command_line)
        super().on_mount()
        if self._at_once and last is not None:
            self._check()

    def draw(self) -> None:
        """See `Dialog.draw`."""
        what = "for a crash" if self._crash else "for the next reboot"
        host = self._view.snapshot.machine.hostname
        self.entitle("image", f"to load with kexec_file_load {what}", host)
        kind = "crash" if self._crash else "reboot"
        self.query_one("#for", Choice).say(kind if self.narrow else f"for a {kind}")
        self.show(self._rows(self.size.width))
        if self._problem:
            self.hint(self._problem, "warning")
        elif self._reading is None:
            self.hint(_KEYS)

    def _rows(self, width: int) -> list[Row]:
        if self._names:
            names = [row(name) for name in self._names[:_MOST_NAMES]]
            more = len(self._names) - len(names)
            return flowed([*names, *([row((f"and {more:,} more", "dim"))] if more else [])], width)
        if self._checks is None:
            words = "what the image is, what would be handed over to it and what would be lost: "
            return wrapped(f"{words}choose Check. Nothing is loaded by it.", width, row(" "), "dim")
        mark = RESULTS[action_rows.worst(self._checks)]
        head = row(" ", mark, (action_rows.counted(self._checks), "strong"))
        return [head, *action_rows.check_rows(self._checks, width)]

    def _entry(self, name: str) -> Input:
        return self.query_one(f"#{name}", Input)

    def _fill_line(self, line: bytes | None) -> None:
        """Begin with a command line: a given one, or the running one for the next kernel."""
        running = self._view.snapshot.machine.command_line
        self._reused = running
        if not isinstance(running, Unknown):
            from kho_console.engine.reused import reused

            self._reused = reused(running, crash=self._crash)
        found = self._reused if line is None else line
        entry = self._entry("line")
        if isinstance(found, Unknown):
            entry.placeholder = f"the running one: {text.why(found)}"
            return
        words = os.fsdecode(found)
        if words.isascii() and words.isprintable():
            entry.value = self._prefilled = words
        else:
            self._reused = found
            entry.placeholder = "as it is: it has bytes that cannot be typed"

    def _image(self) -> KexecImage | str:
        """What was asked for, or what is missing."""
        kernel, initrd = (self._entry(name).value.strip() for name in _FILES)
        line: Maybe[bytes] = os.fsencode(self._entry("line").value)
        if not kernel:
            return "name the kernel's file"
        if not line:
            # An emptied field is meant so; one that could not be filled stands for what it hides.
            line = b"" if self._prefilled else self._reused
        if isinstance(line, Unknown):
            return "type a command line: the running one cannot be read"
        return KexecImage(whole(kernel), whole(initrd) if initrd else None, line, self._crash)

    def on_key(self, event: events.Key) -> None:
        """Tab completes the name of a file, as long as there is more to say of it."""
        entry = self.focused
        if event.key == "tab" and isinstance(entry, Input) and entry.id in _FILES and entry.value:
            event.stop()
            event.prevent_default()
            twin = self.changes.rehearsal and entry.id == "kernel"
            task = partial(completed, entry.value, simulated=twin)
            begin(self, task, partial(self._completed, entry, entry.value))

    def _completed(self, entry: Input, typed: str, found: Completed | Failure) -> None:
        if isinstance(found, Failure) or entry.value != typed:
            return
        self._names = found.names
        if found.text != typed:
            entry.value = found.text
            entry.cursor_position = len(found.text)
        elif not found.names:
            self.focus_next()
        self._problem = ""
        self.draw()

    def on_input_changed(self, event: Input.Changed) -> None:
        """What was found does not hold for another image."""
        last = self.changes.examined
        if self._checks is not None and last is not None and self._image() != last.image:
            self._checks = None
            self.draw()

    def action_move(self, step: int) -> None:
        """Go to another field; among the choices the text scrolls."""
        if isinstance(self.focused, Input):
            self.action_next(step)
        else:
            super().action_move(step)

    def on_choice_chosen(self, event: Choice.Chosen) -> None:
        """Do what was chosen."""
        event.stop()
        match event.choice.id:
            case "cancel":
                self.action_cancel()
            case "for":
                self._turn()
            case "check":
                self._check()
            case "load":
                self._load()

    def _turn(self) -> None:
        """For a crash, or for the next reboot; a command line that was typed stays."""
        self._crash = not self._crash
        self._checks = None
        if self._entry("line").value == self._prefilled:
            self._fill_line(None)
        self.draw()

    def _check(self) -> None:
        image = self._image()
        if self._reading is not None or self._said_so(image) or isinstance(image, str):
            return
        self._names, self._checks = (), None
        self._reading = Reading(self, lambda words: self.hint(f"{words}  Esc stops it", "info"))
        self.draw()
        self.hint("checking ..  Esc stops it", "info")
        self.changes.examine(self, self._view, image, self._reading.watch, self._checked)

    def _checked(self, found: Examined | Failure) -> None:
        self._reading = None
        self._problem = ""
        if isinstance(found, Failure):
            self._problem = found.reason
        else:
            self._checks = found.checks
        self.draw()

    def _load(self) -> None:
        image = self._image()
        if self._reading is not None or self._said_so(image) or isinstance(image, str):
            return
        if self.leave():
            self.app.push_screen(ActionDialog(wishes.load(image)))

    def _said_so(self, image: KexecImage | str) -> bool:
        """Say what is missing, if anything is."""
        self._problem = image if isinstance(image, str) else ""
        if self._problem:
            self.draw()
            self._entry("kernel").focus()
        return bool(self._problem)

    def action_cancel(self) -> None:
        """Stop the reading; else leave."""
        if self._reading is None:
            self.leave()
        else:
            self._reading.call_off()
