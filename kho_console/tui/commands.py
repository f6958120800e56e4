"""The one table of commands: bindings, bottom line, palette and help all come from it."""

from collections.abc import Collection, Iterable

from textual.binding import Binding, BindingType
from textual.keys import format_key

from kho_console.model.position import What
from kho_console.model.value import dataclass

SECTIONS = (
    "overview",
    "scratch",
    "blobs",
    "preserved",
    "sessions",
    "handover",
    "crash",
    "findings",
    "doctor",
    "log",
)
"""The subjects, in the order of their keys."""

JOURNAL = "journal"
RUNBOOK = "runbook"
DIFFERENCE = "difference"
SIMULATION = "simulation"
PKRAM = "pkram"
KSTATE = "kstate"
HELP = "help"
QUIT = "quit"
SCREENS = (*SECTIONS, JOURNAL, RUNBOOK, DIFFERENCE, SIMULATION, PKRAM, KSTATE, HELP)

_SIGNS = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "tab": "Tab",
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "ctrl+p": "^p",
    "ctrl+q": "^q",
    "ctrl+c": "^c",
}


@dataclass(frozen=True, slots=True)
class Command:
    """Something that an operator can ask for.

    Attributes:
        id: Stable name.
        keys: Keys, as Textual names them; the first one is shown.
        title: What the palette calls it.
        help: What it does, in one sentence.
        action: The method `action_...` with its arguments: of the screen where `screens` names
            some, else of the application.
        screens: The screens that have it; none for all of them.
        short: The word of the bottom line; empty to leave it out. Neighbours with the same word
            share it.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    help: str
    action: str
    screens: tuple[str, ...] = ()
    short: str = ""

    @property
    def signs(self) -> tuple[str, ...]:
        """Its keys as they are shown."""
        return tuple(sign(key) for key in self.keys)


def sign(key: str) -> str:
    """A key as it is shown: `/` for `slash`."""
    if key in _SIGNS:
        return _SIGNS[key]
    shown = format_key(key)
    return shown if shown.isascii() else key


def _section(key: str, name: str, about: str) -> Command:
    title = name.capitalize()
    return Command(name, (key,), title, about, f"section('{name}')", (), title)


_STRIP = ("preserved",)
_BLOBS = ("blobs",)
_HANDOVER = ("handover",)
_COMPARED = tuple(
    name for name in SCREENS if name not in ("blobs", "preserved", DIFFERENCE, KSTATE, HELP)
)
_CRASH = ("crash",)
_CHANGES = ("handover", "crash")
_SIMULATION = (SIMULATION,)
_LISTS = ("sessions", "crash", "findings", "doctor", "log", JOURNAL, DIFFERENCE)
_NO_EXPORT = tuple(name for name in SCREENS if name not in _STRIP)

_TIMELINE = (
    Command("moment-before", ("left_square_bracket",), "Moment before", "Of a recording, or of "
            "what was seen of a live machine: the moment before.", "step_moment(-1)"),
    Command("moment-next", ("right_square_bracket",), "Next moment", "The moment after.",
            "step_moment(1)"),
    Command("event-before", ("left_curly_bracket",), "Event before", "To the moment that first "
            "showed the CPU or memory event before.", "next_landmark('event', False)"),
    Command("event-next", ("right_curly_bracket",), "Next event", "To the moment that first "
            "showed the next CPU or memory event.", "next_landmark('event', True)"),
    Command("time", ("t",), "Go to a time", "To a moment by its time: HH:MM:SS, +5m from the "
            "start, -30s from the end, event:2, action:0, start, end.", "go_to_time"),
    Command("action-before", ("left_parenthesis",), "Action before", "To the moment that first "
            "showed the action before.", "next_landmark('action', False)"),
    Command("action-next", ("right_parenthesis",), "Next action", "To the moment that first "
            "showed the next action.", "next_landmark('action', True)"),
    Command("finding-before", ("comma",), "Finding before", "To the moment that first showed the "
            "finding before.", "next_landmark('finding', False)"),
    Command("finding-next", ("full_stop",), "Next finding", "To the moment that first showed the "
            "next finding.", "next_landmark('finding', True)"),
    Command("slower", ("less_than_sign",), "Slower", "Play slower.", "speed(-1)"),
    Command("faster", ("greater_than_sign",), "Faster", "Play faster.", "speed(1)"),
    Command("live", ("L",), "Live", "Back to now, and stay there; in a recording to its end.",
            "live"),
)  # fmt: skip
"""What moves on a timeline."""

COMMANDS = (
    _section("1", "overview", "The answer first: would the next reboot hand over, and what."),
    _section("2", "scratch", "The areas that the next kernel boots in."),
    _section("3", "blobs", "The root tree and what producers hand over, decoded."),
    _section("4", "preserved", "Preserved memory: how much, where, whose."),
    _section("5", "sessions", "Live-update sessions and who holds them."),
    _section("6", "handover", "Where this machine stands, what is possible now, and doing it."),
    _section("7", "crash", "What a dump taken now would contain, and why."),
    _section("8", "findings", "What is worth attention, with evidence and remedy."),
    _section("9", "doctor", "What this console can and cannot see here, and what would fix it."),
    _section("0", "log", "What the kernel, its events and this console have said."),
    Command("finalize", ("f",), "Finalize", "Write down what is preserved, or activate the "
            "handover; shows first what it would do.", "step('finalize')", _HANDOVER, "finalize"),
    Command("abort", ("a",), "Abort", "Take back what finalize wrote down, or deactivate; shows "
            "first what it would do.", "step('abort')", _HANDOVER, "abort"),
    Command("load", ("l",), "Load an image", "Name a kernel, an initrd and a command line, check "
            "them, and load them for the next reboot or for a crash.",
            "image", _CHANGES, "load"),
    Command("unload", ("u",), "Unload the image", "Drop the image that the next reboot would "
            "start; shows first what it would do.", "step('unload')", _HANDOVER, "unload"),
    Command("execute", ("x",), "Execute", "Leave this kernel for the loaded image, by systemctl "
            "kexec; wants the name of the host.", "step('execute')", _HANDOVER, "execute"),
    Command("check-image", ("c",), "Check the image", "Hold the image of last time against the "
            "machine again, or ask for one.", "check_image", _HANDOVER, "check"),
    Command("choose", ("enter",), "Go on", "Do what the chosen line is about, or show more of it.",
            "choose", _HANDOVER, "go on"),
    Command("execute-at-once", ("X",), "Execute at once", "The same by the bare system call: no "
            "service is stopped, nothing is written back.",
            "step('execute-at-once')", _HANDOVER),
    Command("unload-crash", ("U",), "Unload the crash image", "Drop the image that a panic would "
            "start; shows first what it would do.", "step('unload-crash')", _CHANGES),
    Command("online", ("o",), "Take online", "Take a memory block or a CPU online.",
            "hotplug(True)", _CHANGES, "on/off"),
    Command("offline", ("O",), "Take offline", "Take a memory block or a CPU offline.",
            "hotplug(False)", _CHANGES, "on/off"),
    Command("fault", ("F",), "Let something go wrong", "On a twin: an errno of the n-th write or "
            "load, memory short, a producer that refuses, a kernel that panics.",
            "fault", _HANDOVER),
    Command("values", ("enter",), "Show the value", "Go into the chosen blob: let the arrows move "
            "in its values and bytes.", "look", _BLOBS, "value"),
    Command("side", ("tab",), "Other side", "Go from what goes out to what came in, and back.",
            "side", _BLOBS, "side"),
    Command("find", ("slash",), "Find", "Find words in names, paths and values of both sides.",
            "find", _BLOBS, "find"),
    Command("find-next", ("n",), "Next match", "Go to the next place with the words.",
            "again(1)", _BLOBS),
    Command("find-previous", ("N",), "Previous match", "Go to the place with the words before.",
            "again(-1)", _BLOBS),
    Command("compare", ("equals_sign",), "Compare", "Show how what goes out differs from what "
            "came in, or the values again.", "compare", _BLOBS, "compare"),
    Command("copy-path", ("y",), "Copy path", "Copy the path of the chosen value, and say it.",
            "copy_path", _BLOBS, "copy"),
    Command("hex", ("x",), "Bytes", "Show or hide the bytes, those of the chosen value marked.",
            "hex", _BLOBS, "hex"),
    Command("dts", ("d",), "Device tree source", "Show the tree as values or as source.",
            "dts", _BLOBS, "dts"),
    Command("pane-left", ("left",), "Pane to the left", "Let the arrows move in the list of blobs, "
            "or in the values.", "pane(-1)", _BLOBS),
    Command("pane-right", ("right",), "Pane to the right", "Let the arrows move in the values, or "
            "in the bytes.", "pane(1)", _BLOBS),
    Command("follow", ("enter",), "Go there", "Go to the screen that the chosen line is about.",
            "follow", ("overview", "findings"), "go there"),
    Command("unfold", ("enter",), "Unfold", "Show or hide the files and holders of a session.",
            "unfold", ("sessions",), "unfold"),
    Command("unfold-events", ("enter", "right"), "Unfold the events", "Show or hide the events of "
            "a line.", "unfold", _CRASH, "unfold"),
    Command("fold-events", ("left",), "Fold the events", "Hide the events of a line.",
            "fold", _CRASH),
    Command("scenario", ("enter",), "Run the scenario", "Run the chosen scenario under both "
            "designs, or show all scenarios again.", "scenario", _SIMULATION, "run"),
    Command("scenario-file", ("f",), "Scenario from a file", "Run a scenario from a file.",
            "file", _SIMULATION, "file"),
    Command("step-back", ("left",), "Step back", "Go to the step before.",
            "move(-1)", _SIMULATION, "step"),
    Command("step-on", ("right",), "Step on", "Go to the next step of both designs.",
            "move(1)", _SIMULATION, "step"),
    Command("filter-list", ("slash",), "Filter the list", "Show the lines that have all of some "
            "words.", "filter", _LISTS, "filter"),
    Command("details", ("tab",), "All details", "Show all that is known of the chosen line, or the "
            "list again.", "details", ("scratch", "handover", RUNBOOK, *_LISTS, SIMULATION, PKRAM,
            KSTATE),
            "details"),
    Command("filter", ("slash",), "Filter", "Show the extents that fit all words: owner:memfd "
            "size:>64k order:0-3 address:0x1000-0x2000 node:0 WORD -WORD.",
            "filter", _STRIP, "filter"),
    Command("go", ("g",), "Go to address", "Go to the extent at a physical address.",
            "go", _STRIP, "go to"),
    Command("owners", ("o",), "Owners", "Show how much each owner has, or the extents again.",
            "owners", _STRIP, "owners"),
    Command("came-in", ("i",), "What came in", "Show the memory that came from the kernel before, "
            "or again what goes out.", "came_in", _STRIP),
    Command("zoom-in", ("plus", "equals_sign"), "Zoom in", "Show the strip around its mark larger.",
            "zoom(1)", _STRIP, "zoom"),
    Command("zoom-out", ("minus",), "Zoom out", "Show more of the strip.",
            "zoom(-1)", _STRIP, "zoom"),
    Command("zoom-whole", ("z",), "Whole line", "Show all of the strip again.",
            "zoom(0)", _STRIP, "zoom"),
    Command("export", ("e",), "Export the list", "Write what the list shows as JSON and CSV.",
            "export", _STRIP, "export"),
    Command("exports", ("e",), "What to export", "Tell which keys write this screen to a file; a "
            "list is exported on Preserved.", "exports", _NO_EXPORT),
    Command("cell-left", ("left",), "Mark to the left", "Move the mark on the strip; it pans.",
            "cell(-1)", _STRIP, "mark"),
    Command("cell-right", ("right",), "Mark to the right", "Move the mark on the strip; it pans.",
            "cell(1)", _STRIP, "mark"),
    Command("node-next", ("n",), "Next node", "Move the mark to the next line of the strip.",
            "node(1)", _STRIP, "node"),
    Command("node-previous", ("N",), "Previous node", "Move the mark to the line before.",
            "node(-1)", _STRIP, "node"),
    Command("look", ("enter",), "What is here", "Go to the first extent under the strip's mark, "
            "or of the chosen owner.", "look", _STRIP, "look"),
    Command("up", ("up", "k"), "Up", "One line up.", "move(-1)", SCREENS),
    Command("down", ("down", "j"), "Down", "One line down.", "move(1)", SCREENS),
    Command("page-up", ("pageup",), "Page up", "One screen up.", "page(-1)", SCREENS),
    Command("page-down", ("pagedown",), "Page down", "One screen down.", "page(1)", SCREENS),
    Command("first", ("home",), "First line", "To the first line.", "edge(False)", SCREENS),
    Command("last", ("end",), "Last line", "To the last line.", "edge(True)", SCREENS),
    Command(JOURNAL, ("J",), "Journal", "What was done to the machine, by whom, how it ended.",
            f"section('{JOURNAL}')"),
    Command(DIFFERENCE, ("D",), "Difference", "Two moments side by side: what was added, went, "
            "moved, changed.", f"section('{DIFFERENCE}')"),
    Command("compare-with", ("equals_sign",), "Compare with", "Name another moment, and show how "
            "the one that is shown differs from it.", "compare_with", _COMPARED),
    Command("moment", ("equals_sign",), "First moment", "Name the moment to compare with: live, a "
            "folder, FILE@TIME of a recording, a shipped one.",
            "moment", (DIFFERENCE,), "compare with"),
    Command("mark", ("m",), "Mark this moment", "Compare what comes with the moment that is shown "
            "now.", "mark", (DIFFERENCE,), "mark"),
    Command(RUNBOOK, ("R",), "Runbooks", "Guided procedures, which go on after the kexec that they "
            "lead through.", f"section('{RUNBOOK}')"),
    Command("do-step", ("enter",), "Do the step", "Open the chosen runbook or run; then do what "
            "the run needs next: an answer, a check, an action.", "do_step", (RUNBOOK,), "do it"),
    Command("skip-step", ("s",), "Skip the step", "Leave out the step that the run stands at, "
            "where it may be.", "skip_step", (RUNBOOK,), "skip"),
    Command("undo-step", ("u",), "Undo a step", "Take back the latest step of the run that changed "
            "the machine; shows first what it would do.", "undo_step", (RUNBOOK,), "undo"),
    Command(SIMULATION, ("C",), "Simulate a crash", "What a dump would contain under the design of "
            "2021 and under mainline's, step by step.", f"section('{SIMULATION}')"),
    Command(PKRAM, ("P",), "PKRAM", "Nodes and objects of PKRAM, and whose memory is where.",
            f"section('{PKRAM}')"),
    Command(KSTATE, ("K",), "kstate", "The stream of kstate that this kernel was handed, entry by "
            "entry, or one in a file.", f"section('{KSTATE}')"),
    Command("fold-entry", ("enter",), "Fold the entry", "Show or hide the fields of the entry.",
            "fold", (KSTATE,), "fold"),
    Command("stream-file", ("f",), "Stream from a file", "Show the stream in a file.",
            "file", (KSTATE,), "file"),
    Command("stream-against", ("equals_sign",), "Compare streams", "Show how the stream in a file "
            "differs from the one that is shown.", "against", (KSTATE,), "compare"),
    Command("refresh", ("r",), "Read again", "Read everything again, also what is read slowly.",
            "read_again", (), "read again"),
    Command("pause", ("p", "space"), "Pause", "Stop reading by itself, or go on; a recording "
            "plays, or stays.",
            "pause", (), "pause"),
    *_TIMELINE,
    Command("back", ("escape",), "Back", "Close what is open, else to the screen before.",
            "go_back"),
    Command("screenshot", ("S",), "Picture", "Write this screen as SVG to the state folder.",
            "picture"),
    Command("export-view", ("E",), "Export view as JSON", "Write what this screen shows as a JSON "
            "document to the state folder.", "export_view"),
    Command("export-text", ("T",), "Export screen as text", "Write this screen as text to the "
            "state folder.", "export_text"),
    Command("palette", ("colon", "ctrl+p"), "Palette", "Find a command by its name.",
            "command_palette"),
    Command(HELP, ("question_mark", "f1"), "Help", "All commands and their keys.",
            f"section('{HELP}')", (), "help"),
    Command(QUIT, ("q", "ctrl+q", "ctrl+c"), "Quit", "Leave the console.", "leave", (), "quit"),
)  # fmt: skip


def bindings(screen: str | None = None) -> list[BindingType]:
    """The bindings of a screen, or those of the application."""
    chosen = [item for item in COMMANDS if (screen in item.screens if screen else not item.screens)]
    return [
        Binding(key, item.action, item.title, show=False, id=item.id)
        for item in chosen
        for key in item.keys
    ]


def available(screen: str, table: tuple[Command, ...] = COMMANDS) -> tuple[Command, ...]:
    """The commands that can be asked for on a screen, its own ones first."""
    return (
        *(item for item in table if screen in item.screens),
        *(item for item in table if not item.screens),
    )


def bottom_line(screen: str, table: tuple[Command, ...] = COMMANDS) -> list[tuple[str, str]]:
    """Keys and words for the bottom line: `("+ -", "zoom")`.

    What is useful here comes first, help and how to leave come last.
    """
    last = _merged(item for item in table if item.id in (HELP, QUIT))
    if screen == SECTIONS[0]:
        return [*_merged(item for item in table if item.id in SECTIONS[1:]), *last]
    own = _merged(item for item in table if screen in item.screens)
    known = (*SECTIONS, HELP, QUIT)
    rest = _merged(item for item in table if not item.screens and item.id not in known)
    return [*own, (_section_keys(table), "screens"), *rest, *last]


_WALK = {
    "moment-before": "step",
    "moment-next": "step",
    "event-before": "event",
    "event-next": "event",
    "action-before": "action",
    "action-next": "action",
    "finding-before": "finding",
    "finding-next": "finding",
    "time": "time",
    "pause": "play",
    "live": "live",
    "slower": "speed",
    "faster": "speed",
}
"""The words of the timeline's own keys, in the order in which they give way."""


def timeline_keys(
    table: tuple[Command, ...] = COMMANDS, marks: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Keys and words for the timeline: `("[ ]", "step")`; of marks for the first kind on it."""
    found = {item.id: item for item in table}
    words: dict[str, list[str]] = {}
    kind = next((what for what in What if what in marks), None)
    for name, word in _WALK.items():
        if word in tuple(What) and word != kind:
            continue
        # The last key of a pause is the one that players have.
        words.setdefault(word, []).extend(found[name].signs[-1:])
    return [(" ".join(signs), word) for word, signs in words.items() if signs]


def _section_keys(table: tuple[Command, ...]) -> str:
    """The keys of the screens, neighbours joined and no other: `1-9 0`."""
    signs = [item.signs[0] for item in table if item.id in SECTIONS]
    if not set(signs) <= set("0123456789"):
        return " ".join(signs)
    keys = [int(key) for key in signs]
    runs: list[list[int]] = []
    for key in keys:
        if runs and key == runs[-1][-1] + 1:
            runs[-1].append(key)
        else:
            runs.append([key])
    words = (f"{run[0]}-{run[-1]}" if len(run) > 2 else " ".join(map(str, run)) for run in runs)
    return " ".join(words)


def _merged(commands: Iterable[Command]) -> list[tuple[str, str]]:
    words: dict[str, list[str]] = {}
    for item in commands:
        if item.short:
            words.setdefault(item.short, []).append(item.signs[0])
    return [(" ".join(keys), word) for word, keys in words.items()]
