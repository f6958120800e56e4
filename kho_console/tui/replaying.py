"""What walks through the moments of a recording, or of what was seen of a live machine."""

from typing import TYPE_CHECKING

from textual.timer import Timer

from kho_console import text
from kho_console.model.position import Landmark, Motion, What
from kho_console.tui.exports import Exporting
from kho_console.tui.section import Section
from kho_console.tui.walking import Walking
from kho_console.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from kho_console.engine.replay import Cursor

_FRAME = 0.1
"""Seconds from one look at the clock to the next while something is played."""


class Replaying(Exporting, inherit_bindings=False):
    """An application whose view can be one of another moment.

    Attributes:
        walking: Where it stands.
    """

    walking: Walking
    _player: Timer | None = None

    def action_pause(self) -> None:
        """Play, or stay."""
        self.walking.ask(turned)

    def play_on(self, playing: bool) -> None:
        """Go on by itself, or not; nothing ticks while nobody plays."""
        if playing and self._player is None:
            self._player = self.set_interval(_FRAME, self.walking.play_on)
        elif not playing and self._player is not None:
            self._player.stop()
            self._player = None

    def action_step_moment(self, moments: int) -> None:
        """Go some moments on, or back."""
        end = "last" if moments > 0 else "first"
        self.walking.ask(lambda cursor: "" if cursor.step(moments) else f"this is the {end} moment")

    def action_next_landmark(self, kind: str, on: bool) -> None:
        """Go to the next event, action or finding, or to the one before."""
        what = What(kind)

        def move(cursor: "Cursor") -> str:
            found = cursor.next(what) if on else cursor.previous(what)
            return _told(found) or f"no {what} {'behind' if on else 'before'} this moment"

        self.walking.ask(move)

    def action_speed(self, steps: int) -> None:
        """Play faster, or slower."""
        self.walking.ask(lambda cursor: f"speed {cursor.faster(steps):g}x")

    def action_live(self) -> None:
        """Go to the end; of a live machine that is now."""
        self.walking.ask(_to_end)

    def action_go_to_time(self) -> None:
        """Ask for a time, and go there."""
        screen = self.screen
        if not isinstance(screen, Section):
            return

        def answer(word: str) -> bool:
            from kho_console.engine.moments import NoMomentError, finder

            word = word.strip()
            try:
                finder(word)
            except NoMomentError:
                screen.say(f"x {text.escaped(word)!r:.20} names no moment: give {hint}")
                return False
            self.walking.ask(lambda cursor: _jumped(cursor, word))
            return True

        hint = "HH:MM:SS, +5m, -30s, event:2, end"
        screen.query_one(Prompt).ask("go to", "", answer, hint=hint)


def _told(found: Landmark | None) -> str:
    if found is None:
        return ""
    what = f"{found.what} {found.number}: {text.escaped(found.title)}"
    return f"{what}, {text.clock(found.at)}"


def _to_end(cursor: "Cursor") -> str:
    return "" if cursor.follow() else "this is a recording: its end is the last moment"


def _jumped(cursor: "Cursor", word: str) -> str:
    cursor.jump(word)
    return ""


def turned(cursor: "Cursor") -> str:
    """Play, or stay."""
    if cursor.position.motion is Motion.PAUSED:
        cursor.play()
    else:
        cursor.pause()
    return ""
