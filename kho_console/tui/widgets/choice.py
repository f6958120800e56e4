"""What a dialog lets one choose: words in brackets that take the focus."""

from textual import events
from textual.message import Message
from textual.strip import Strip

from kho_console.tui.rows import Row
from kho_console.tui.widgets.painted import Painted


class Choice(Painted, can_focus=True, inherit_bindings=False):
    """`[ Cancel ]`; with a sign before it while it has the focus."""

    class Chosen(Message):
        """Somebody chose it."""

        def __init__(self, choice: "Choice") -> None:
            super().__init__()
            self.choice = choice

        @property
        def control(self) -> "Choice":
            """What was chosen."""
            return self.choice

    _tight = False

    def __init__(self, name: str, words: str) -> None:
        """Show `words`; its id is `name`."""
        super().__init__(id=name)
        self.say(words)

    @property
    def text(self) -> str:
        """What it shows."""
        return "".join(words for words, _ in self._row())

    def say(self, words: str) -> None:
        """Show other words."""
        self._words = words
        self.fit(self._tight)

    def fit(self, tight: bool) -> None:
        """Take less room, or as much as it likes."""
        self._tight = tight
        self.styles.width = len(self._row()[1][0]) + (1 if tight else 2)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """See `Widget.render_line`."""
        return self.paint(self._row(), self.size.width)

    def on_focus(self) -> None:
        """Show the sign."""
        self.refresh()

    def on_blur(self) -> None:
        """Take it away."""
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        """Enter and Space choose it."""
        if event.key in ("enter", "space"):
            event.stop()
            self.post_message(self.Chosen(self))

    def on_click(self) -> None:
        """So does the mouse."""
        self.post_message(self.Chosen(self))

    def _row(self) -> Row:
        words = f"[{self._words}]" if self._tight else f"[ {self._words} ]"
        return ((">", "strong"), (words, "cursor")) if self.has_focus else ((" ", ""), (words, ""))
