"""A simulated crash: what a dump would contain under the design of 2021 and under mainline's."""

from collections.abc import Iterable, Mapping
from threading import Event
from typing import TYPE_CHECKING

from kho_console import text
from kho_console.engine.observer import View
from kho_console.model.crash_simulation import CrashSimulation
from kho_console.tui import commands, simulation_rows
from kho_console.tui.background import begin
from kho_console.tui.listed import Listed, labelled
from kho_console.tui.lookout import Failure
from kho_console.tui.rows import FixedRows, Row, column, row, rule, wrapped
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from kho_console.tui.simulations import Offered

_LABEL = row((" SIMULATION ", "strong"))
_LOW = 20
_NAME = 20
_BELOW_SCENARIOS = 5
_BELOW_STEPS = 11
_HEAD_PER_LINES = 8
"""Lines of the screen for each line of what a scenario is about."""


class Simulation(Listed):
    """The scenarios that there are, and once one was run its steps."""

    subject = commands.SIMULATION
    detail_height = _BELOW_SCENARIOS
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start without scenarios."""
        super().__init__()
        self._offered: tuple[Offered, ...] | None = None
        self._found: CrashSimulation | None = None
        self._place = 0
        self._busy = False
        self._stop = Event()
        self._problem = ""

    def on_mount(self) -> None:
        """Ask which scenarios there are."""
        super().on_mount()

        def task() -> "tuple[Offered, ...]":
            from kho_console.tui import simulations

            return simulations.offered()

        begin(self, task, self._listed)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        width, height = self.size
        found = self._found
        if found is not None:
            whole = self._all_details
            titles = height >= _LOW and not whole
            below = [simulation_rows.titles(width)] if titles else []
            most = max(height // _HEAD_PER_LINES, 1)
            about = [] if whole and height < _LOW else simulation_rows.head(found, width, most)
            if self._problem:
                about = wrapped(
                    f"x {self._problem}", width, _LABEL, "error", most=max(height // 6, 2)
                )
            rows = simulation_rows.lines(found, width)
        else:
            about = wrapped(self._invitation(), width, _LABEL, most=max(height // 7, 2))
            rows, below = [_scenario(item, width) for item in self._offered or ()], []
        self.query_one("#head", Panel).show([*about, rule(width), *below])
        self.lines().show(FixedRows(rows))
        self.detail_height = _BELOW_SCENARIOS if found is None else _BELOW_STEPS
        self.explain(view)

    def on_lines_moved(self) -> None:
        """Go on from what went wrong."""
        if self._found is not None and self._problem:
            self._problem = ""
            self.draw()
        super().on_lines_moved()

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        width, found, at = self.size.width, self._found, self.lines().cursor
        if found is not None:
            legend = [simulation_rows.legend(width)] if self.size.height >= _LOW else []
            step, everything = found.steps[at], self._all_details
            picture = simulation_rows.picture(step, found, width, everything=everything)
            return [*picture, *legend] if everything else [*legend, *picture]
        if not self._offered:
            return []
        chosen = self._offered[min(at, len(self._offered) - 1)]
        rows = labelled("name", text.escaped(chosen.name), width, "strong")
        return rows + labelled("shows", text.escaped(chosen.about), width)

    def exported(self) -> Mapping[str, Iterable[str]] | None:
        """The document of what was simulated."""
        if self._found is None:
            return None
        from kho_console.tui import simulations

        return {"json": simulations.document(self._found)}

    def close_something(self) -> bool:
        """Show the steps again, then the scenarios; stop the scenario that runs."""
        if super().close_something():
            return True
        if self._busy:
            self._stop.set()
            return True
        had = self._found is not None
        if had:
            self._show_scenarios()
        return had

    def action_scenario(self) -> None:
        """Run the chosen scenario, or show all of them again."""
        if self._found is not None:
            self._show_scenarios()
        elif self._offered:
            self._place = self.lines().cursor
            self._run(self._offered[self._place].name)

    def action_file(self) -> None:
        """Ask for the file of a scenario."""

        def answer(words: str) -> bool:
            if words.strip():
                self._run(words.strip())
            return True

        self.query_one(Prompt).ask("scenario", "", answer, hint="a file, or the name of a scenario")

    def _listed(self, found: "tuple[Offered, ...] | Failure") -> None:
        if isinstance(found, Failure):
            self._problem = found.reason
        else:
            self._offered = found
        self.draw()

    def _run(self, place: str) -> None:
        """Run a scenario on a thread: it computes the digests of an image."""
        if self._busy:
            self.say("a scenario is running")
            return
        self._busy, self._problem = True, ""
        self._stop = stop = Event()

        def task() -> CrashSimulation | Failure:
            from kho_console.tui import simulations

            return simulations.simulated(place, stop.is_set)

        begin(self, task, self._ran)
        self.draw()

    def _ran(self, found: CrashSimulation | Failure) -> None:
        self._busy = False
        if isinstance(found, Failure):
            self._problem = found.reason
        else:
            self._found = found
            self.lines().go(0)
        self.draw()

    def _show_scenarios(self) -> None:
        self._found, self._all_details, self._problem = None, False, ""
        self.draw()
        self.lines().go(self._place)

    def _invitation(self) -> str:
        if self._problem:
            return f"x {self._problem}"
        if self._busy:
            return "working it out .. (Esc stops it)"
        if self._offered is None:
            return "working it out .."
        return (
            "Run a scenario under the design of 2021 and under mainline's, and see what a dump "
            "would contain. Nothing of this machine is touched."
        )


def _scenario(item: "Offered", width: int) -> Row:
    name = column(text.escaped(item.name), _NAME)
    about = column(text.escaped(item.about), max(width - _NAME - 4, 8))
    return row((name, "strong"), "  ", (about, "dim"))
