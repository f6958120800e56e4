"""The shape of screens that ask for changes: each opens a dialog, and none changes anything."""

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Unknown
from kho_console.tui import wishes
from kho_console.tui.changes import Changes, changes_of
from kho_console.tui.dialogs.action import ActionDialog
from kho_console.tui.dialogs.dialog import Dialog
from kho_console.tui.dialogs.image import ImageDialog
from kho_console.tui.section import Section
from kho_console.tui.widgets.prompt import Prompt


class Acting(Section):
    """Subclasses show what can be changed.

    Attributes:
        crash: Whether an image that is loaded from here is for a crash.
    """

    crash = False

    def device(self) -> str:
        """The `memoryN` or `cpuN` that is chosen; empty for none."""
        return ""

    def action_step(self, name: str) -> None:
        """Ask about a step."""
        if (view := self._seen()) is not None:
            # What plans steps is loaded by the thread that looks at them.
            from kho_console.engine.actions import steps

            self._open(ActionDialog(wishes.step(steps.own_name(view.snapshot, name))))

    def action_image(self) -> None:
        """Ask for an image."""
        if (view := self._seen()) is not None:
            self._open(ImageDialog(view, crash=self.crash))

    def action_hotplug(self, online: bool) -> None:
        """Ask which memory block or CPU; the chosen one stands there where it can go that way."""

        def answer(words: str) -> bool:
            from kho_console.engine.actions import hotplug

            try:
                hotplug.target(words.strip())
            except ValueError as error:
                self.say(f"x {text.escaped(str(error))}")
                return False
            self._open(ActionDialog(wishes.hotplug(words.strip(), online=online)))
            return True

        question = "take online" if online else "take offline"
        device = self.device()
        if self.view is not None and _stands(self.view.snapshot, device, online=online):
            device = ""
        self.query_one(Prompt).ask(question, device, answer, hint="memoryN or cpuN", proposed=True)

    @property
    def _changes(self) -> Changes:
        return changes_of(self.app)

    def _seen(self) -> View | None:
        """What is shown; before the first look it says so."""
        if self.view is None:
            self.say("the machine is still being read")
        return self.view

    def _open(self, dialog: Dialog) -> None:
        """Open a dialog, one at a time: keys may come faster than it is there."""
        if not any(isinstance(screen, Dialog) for screen in self.app.screen_stack):
            self.app.push_screen(dialog)


def _stands(snapshot: Snapshot, device: str, *, online: bool) -> bool:
    """Whether a device is known to be where it would be taken."""
    cpus, blocks = snapshot.cpus, snapshot.memory.blocks
    stands: dict[str, bool] = {}
    if not isinstance(cpus.present, Unknown) and not isinstance(cpus.online, Unknown):
        stands |= {f"cpu{number}": number in cpus.online for number in cpus.present}
    if not isinstance(blocks, Unknown):
        states = {"online": True, "offline": False}
        stands |= {
            f"memory{block.number}": states[block.state]
            for block in blocks
            if not isinstance(block.state, Unknown) and block.state in states
        }
    return stands.get(device) is online
