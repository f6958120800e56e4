"""The line above the keys on which one walks through moments."""

from collections.abc import Sequence

from kho_console.model.position import Landmark, Position
from kho_console.tui import timeline_rows
from kho_console.tui.commands import timeline_keys
from kho_console.tui.keymap import table_of
from kho_console.tui.widgets.painted import Panel


class Timeline(Panel):
    """Shows where one stands; of no height while there is nothing to walk through."""

    def show_for(
        self, position: Position | None, landmarks: Sequence[Landmark], size: tuple[int, int]
    ) -> None:
        """Draw it for a window of so many columns and lines."""
        if position is None:
            self.show([])
            return
        keys = timeline_keys(table_of(self.app), {item.what for item in landmarks})
        self.show(timeline_rows.timeline(position, landmarks, keys, size))
