"""Lists of any length."""

from textual.app import App, ComposeResult

from kho_console.resources import styles_folder
from kho_console.tui.hex_rows import HexRows
from kho_console.tui.rows import FixedRows, Row, plain, row
from kho_console.tui.themes import THEMES
from kho_console.tui.widgets.lines import Lines


class Millions:
    """Eight million rows, of which it counts those that were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __len__(self) -> int:
        return 8_000_000

    def row(self, index: int) -> Row:
        self.asked += 1
        return row(f"line {index}")


class Alone(App[None], inherit_bindings=False):
    """A list and nothing else."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(css_path=styles_folder() / "base.tcss")
        self.register_theme(THEMES["dark"])
        self.theme = THEMES["dark"].name
        self._own = lines

    def compose(self) -> ComposeResult:
        yield self._own


async def test_eight_million_lines_scroll_and_are_never_built() -> None:
    lines, source = Lines("list"), Millions()
    async with Alone(lines).run_test(size=(80, 24)) as pilot:
        lines.show(source)
        await pilot.pause()
        assert lines.text.splitlines()[0] == "line 0"
        lines.end(last=True)
        await pilot.pause()
        assert lines.cursor == 7_999_999
        assert lines.text.splitlines()[-1] == "line 7999999"
        lines.go(4_000_000)
        await pilot.pause()
        assert "line 4000000" in lines.text.splitlines()
        for _ in range(50):
            lines.page(1)
            await pilot.pause(0)
        assert lines.cursor == 4_000_000 + 50 * 23
        assert source.asked < 3000
        strips, rows = lines._strips, lines._rows
        assert len(strips) <= 512
        assert len(rows) <= 512


async def test_the_cursor_line_has_a_sign_and_others_do_not() -> None:
    lines = Lines("list")
    async with Alone(lines).run_test(size=(20, 5)) as pilot:
        lines.show(FixedRows([row("a"), row("b")]))
        await pilot.pause()
        lines.move(1)
        await pilot.pause()
        assert [lines.render_line(y).text.rstrip() for y in range(3)] == [" a", ">b", ""]
        assert all(lines.render_line(y).cell_length == 20 for y in range(5))


async def test_nothing_reaches_the_terminal_that_could_steer_it() -> None:
    lines = Lines("list", cursor=False)
    async with Alone(lines).run_test(size=(20, 5)) as pilot:
        lines.show(FixedRows([row("a\x1b[2J\x9b1m\r\n\u202eb")]))
        await pilot.pause()
        assert lines.render_line(0).text.rstrip() == "a?[2J?1m???b"


async def test_a_list_that_shrinks_keeps_the_cursor_inside() -> None:
    lines = Lines("list")
    async with Alone(lines).run_test(size=(20, 5)) as pilot:
        lines.show(FixedRows([row(f"{at}") for at in range(100)]))
        lines.go(99)
        await pilot.pause()
        lines.show(FixedRows([row("only")]))
        await pilot.pause()
        assert lines.cursor == 0
        assert lines.text == "only"
        lines.show(FixedRows([]))
        lines.move(1)
        lines.end(last=True)
        await pilot.pause()
        assert lines.cursor == 0
        assert lines.text == ""


async def test_the_same_lines_are_not_drawn_again() -> None:
    lines = Lines("list")
    async with Alone(lines).run_test(size=(20, 5)) as pilot:
        lines.show(FixedRows([row("a"), row("b")]))
        await pilot.pause()
        before = [lines.render_line(y) for y in range(2)]
        lines.show(FixedRows([row("a"), row("b")]))
        assert all(lines.render_line(y) is before[y] for y in range(2))
        lines.show(FixedRows([row("a"), row("c")]))
        assert lines.render_line(1).text.rstrip() == " c"


async def test_a_click_moves_the_cursor() -> None:
    lines = Lines("list")
    async with Alone(lines).run_test(size=(20, 5)) as pilot:
        lines.show(FixedRows([row(f"{at}") for at in range(100)]))
        await pilot.pause()
        await pilot.click(lines, offset=(3, 2))
        assert lines.cursor == 2


def test_hex_rows_mark_a_value_and_fill_the_last_line() -> None:
    rows = HexRows(bytes(range(0x3C, 0x3C + 20)), 8, range(6, 10), "start")
    assert len(rows) == 3
    assert plain(rows.row(0)) == " 0000  3c 3d 3e 3f 40 41 42 43  |<=>?@ABC|  start"
    assert plain(rows.row(1)) == " 0008  44 45 46 47 48 49 4a 4b  |DEFGHIJK|"
    assert plain(rows.row(2)) == " 0010  4c 4d 4e 4f              |LMNO|"
    assert [text for text, look in rows.row(0) if look == "mark"] == [
        "42",
        " ",
        "43",
        " ",
        "B",
        "C",
    ]
    assert [text for text, look in rows.row(1) if look == "mark"] == ["44", " ", "45", "D", "E"]
