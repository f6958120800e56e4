"""Where the machine stands in its own life cycle, what is possible now, and what was done."""

from collections.abc import Mapping, Sequence

from kho_console.engine.actions import steps
from kho_console.engine.life_cycle import life_cycle, loads_too_early
from kho_console.engine.observer import View
from kho_console.engine.verdict import judge
from kho_console.model.record import Record
from kho_console.model.unknown import Maybe, Unknown
from kho_console.tui import commands, handover_rows
from kho_console.tui.acting import Acting
from kho_console.tui.dialogs.image import ImageDialog
from kho_console.tui.handover_rows import Chosen
from kho_console.tui.keymap import table_of
from kho_console.tui.life_cycle_rows import drawing
from kho_console.tui.listed import Listed
from kho_console.tui.overview_rows import STANDINGS
from kho_console.tui.rows import FixedRows, Row, plain, row, rule, wrapped
from kho_console.tui.widgets.keys import Keys
from kho_console.tui.widgets.painted import Panel
from kho_console.tui.widgets.prompt import Prompt

_LOW = 20
"""Lines below which the answer is not explained."""

_ROOM = 24
"""Columns that the answer wants behind how it begins; else it stands below."""

_OF_2024 = {"activate": "finalize", "deactivate": "abort"}
"""Steps that have the keys of others."""


class Handover(Acting, Listed):
    """See the module."""

    subject = "handover"
    detail_height = 5
    BINDINGS = commands.bindings(subject)

    def __init__(self) -> None:
        """Start without rows."""
        super().__init__()
        self._lines: list[Chosen] = []
        self._looked: View | None = None

    def on_screen_resume(self) -> None:
        """Read the journal anew."""
        self._changes.read_journal(self.view)

    def show(self, view: View) -> None:
        """See `Section.show`."""
        changes, width = self._changes, self.size.width
        if view is not self._looked:
            self._looked = view
            changes.look_at_steps(view)
            changes.read_journal(view)
        self._name_keys(view)
        self._head(view)
        self._lines = self._all(view, width - 1)
        self.lines().show(FixedRows([item.row for item in self._lines]))
        self.explain(view)

    def detail(self, view: View) -> list[Row]:
        """See `Listed.detail`."""
        if not self._lines:
            return []
        return self._lines[min(self.lines().cursor, len(self._lines) - 1)].detail(self.size.width)

    def action_check_image(self) -> None:
        """Check the image of last time again."""
        if (view := self._seen()) is not None:
            self._open(ImageDialog(view, at_once=True))

    def action_fault(self) -> None:
        """Ask what shall go wrong on a twin."""
        if not self._changes.rehearsal:
            self.say("x nothing is made to go wrong here: this is no twin")
            return
        from kho_console.engine.rehearsal import FAULTS

        self.query_one(Prompt).ask("fault", "", self._arm, hint=FAULTS)

    async def action_choose(self) -> None:
        """Do what the chosen line is about."""
        action = self._lines[self.lines().cursor].action if self._lines else ""
        match action:
            case "journal":
                await self.follow(commands.JOURNAL)
            case "online" | "offline":
                self.action_hotplug(action == "online")
            case "":
                self.action_details()
            case _:
                await self.run_action(action)

    def _name_keys(self, view: View) -> None:
        """The bottom line says what the steps are called on this machine."""
        keys = self.query_one(Keys)
        keys.called = {name: steps.own_name(view.snapshot, name) for name in _OF_2024.values()}
        keys.show_for(self.subject, self.size.width)

    def _head(self, view: View) -> None:
        width, height = self.size
        verdict = judge(view.snapshot, view.findings)
        look = STANDINGS[verdict.standing]
        label = row((" HANDOVER   ", "strong"), (f"{verdict.standing}: ", look))
        rows = wrapped(verdict.sentence, width, label, "strong", most=2)
        if width - len(plain(label)) < _ROOM:
            rows = [label, *wrapped(verdict.sentence, width, row(" "), "strong", most=2)]
        if verdict.detail and height >= _LOW:
            rows += wrapped(verdict.detail, width, row(" " * 12), "dim", most=2)
        cycle = drawing(life_cycle(view.snapshot), width, low=height < _LOW)
        self.query_one("#head", Panel).show([*rows, *cycle, rule(width)])

    def _all(self, view: View, width: int) -> list[Chosen]:
        changes = self._changes
        plans, keys, refusal = changes.possible, self._keys(), changes.refusal
        if not plans:
            looking = row(("looking at what is possible ..", "info"))
            return [Chosen(looking, "", lambda room: [])]
        too_early = loads_too_early(view.snapshot)
        early = life_cycle(view.snapshot).stations[1] if too_early else ""
        return [
            *handover_rows.steps(plans, keys, refusal, early, width),
            *handover_rows.doing(changes.doing, changes.last, width),
            *handover_rows.image(changes.examined, width),
            *handover_rows.journal(self._records(), width),
            *handover_rows.more_steps(plans, keys, refusal, width),
        ]

    def _records(self) -> Maybe[Sequence[Record]]:
        found = self._changes.records
        return found if isinstance(found, Unknown) else found.records

    def _keys(self) -> Mapping[str, str]:
        """The key of each step."""
        found = {item.id: item.signs[0] for item in table_of(self.app) if item.signs}
        return found | {name: found[other] for name, other in _OF_2024.items()}

    def _arm(self, words: str) -> bool:
        changes = self._changes

        def told(refused: object) -> None:
            self.say(f"x {refused}" if refused else f"will go wrong: {words.strip()}")

        changes.arm(words.strip(), told)
        return True
