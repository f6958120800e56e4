"""What tells at the start of a runbook's run that goes on, and picks one up behind its kexec."""

from typing import TYPE_CHECKING

from kho_console import text
from kho_console.tui import commands
from kho_console.tui.changes import Changes
from kho_console.tui.keymap import table_of
from kho_console.tui.lookout import Failure
from kho_console.tui.replaying import Replaying
from kho_console.tui.section import Section

if TYPE_CHECKING:
    from kho_console.tui.guiding import Waiting


class PickingUp(Replaying, inherit_bindings=False):
    """An application that knows of the runs of its machine.

    Attributes:
        changes: What is done to the machine.
        sections_shown: The sections that were shown, the present one last.
    """

    changes: Changes
    sections_shown: list[str]

    def announce(self) -> None:
        """Say which run goes on; one that has come through its kexec is gone on with."""
        means = self.changes.means
        if means.runs is None:
            return

        def task(turn: object) -> "Waiting | None":
            from kho_console.tui import guiding

            return guiding.waiting(means)

        def then(found: "Waiting | Failure | None") -> None:
            if found is None or isinstance(found, Failure):
                return
            run = found.run
            if found.arrived and self.changes.refusal is None:
                self.call_later(self._pick_up, run.id)
            elif isinstance(self.screen, Section):
                table = {item.id: item.signs[0] for item in table_of(self)}
                words = f"run {run.book} stands at step {run.done + 1}, {run.at}"
                self.screen.say(f"{text.escaped(words)}: {table[commands.RUNBOOK]} resumes it")

        self.changes.guide(self, task, then)

    async def _pick_up(self, run: str) -> None:
        """Go on with a run, unless somebody is in the middle of something else."""
        if isinstance(self.screen, Section) and len(self.sections_shown) == 1:
            from kho_console.tui.screens.runbook import Runbook

            await self.run_action(f"section('{commands.RUNBOOK}')")
            if isinstance(self.screen, Runbook):
                self.screen.open_run(run)
