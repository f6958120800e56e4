"""A question in the line above the keys."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from kho_console.tui.rows import row
from kho_console.tui.widgets.painted import Panel


class Prompt(Horizontal):
    """Asks for one line of text; hidden while it asks nothing."""

    _answer: Callable[[str], bool] | None = None

    def compose(self) -> ComposeResult:
        """See `Widget.compose`."""
        yield Panel(id="question")
        yield Input(compact=True, select_on_focus=False, id="answer")

    @property
    def asking(self) -> bool:
        """Whether it waits for an answer."""
        return self._answer is not None

    def ask(
        self,
        question: str,
        value: str,
        answer: Callable[[str], bool],
        *,
        hint: str = "",
        proposed: bool = False,
    ) -> None:
        """Ask; `answer` gets the text when it is entered.

        Args:
            question: What stands before the line.
            value: The text to start with.
            answer: Called with the text; false where it cannot be taken, and then the question
                stays, and the text with it.
            hint: What stands there while there is no text.
            proposed: Whether the text to start with goes when something else is typed.
        """
        self._answer = answer
        panel, entry = self.query_one("#question", Panel), self.query_one(Input)
        panel.styles.width = len(question) + 3
        panel.show([row(f" {question}: ")])
        entry.placeholder = hint
        entry.value = value
        entry.cursor_position = len(value)
        self.add_class("-asking")
        # At once: of keys that come in one go, the ones behind must not reach the screen.
        self.display = True
        self.screen.set_focus(entry)
        if proposed:
            entry.select_all()

    def insert(self, typed: str) -> None:
        """Put text in at the cursor."""
        self.query_one(Input).insert_text_at_cursor(typed)

    def close(self) -> None:
        """Ask no more."""
        self._answer = None
        self.remove_class("-asking")
        self.display = False
        self.screen.set_focus(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Hand the answer over."""
        event.stop()
        if self._answer is not None and self._answer(event.value):
            self.close()
