"""The form of an image: completion, checking that can be stopped, and what it asks to be loaded."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from kho_console.engine import preflight
from kho_console.engine.file_names import completed, whole
from kho_console.engine.image_files import CancelledError, Watch
from kho_console.model.change import KexecImage
from kho_console.model.preflight import Preflight
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.tui.changes import changes_of
from kho_console.tui.dialogs.action import ActionDialog
from kho_console.tui.dialogs.image import ImageDialog
from kho_console.tui.section import Section
from tests.pilot.machines import console, rehearsal, text, until
from tests.pilot.test_handover import asked, changes, done, handover, line, typed

OPEN, STATELESS = "linux-6.18.15/finalized", "linux-7.3.4/sessions"


async def form(pilot: Pilot[int], key: str = "l") -> ImageDialog:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, ImageDialog))
    dialog = pilot.app.screen
    assert isinstance(dialog, ImageDialog)
    await pilot.pause()
    return dialog


def value(dialog: ImageDialog, name: str) -> str:
    return dialog.query_one(f"#{name}", Input).value


async def choose(pilot: Pilot[int], dialog: ImageDialog, name: str) -> None:
    dialog.query_one(f"#{name}").focus()
    await pilot.press("enter")
    await pilot.pause()


@pytest.mark.parametrize(
    ("typed", "text", "names"),
    [
        ("vm", "vmlinuz-6.1", ("vmlinuz-6.18", "vmlinuz-6.19")),
        ("vmlinuz-6.18", "vmlinuz-6.18", ()),
        ("b", "boot/", ()),
        (".h", ".hidden", ()),
        ("", "", ("boot/", "vmlinuz-6.18", "vmlinuz-6.19")),
        ("no-such", "no-such", ()),
        ("no-such/x", "no-such/x", ()),
    ],
)
def test_completion(tmp_path: Path, typed: str, text: str, names: tuple[str, ...]) -> None:
    (tmp_path / "boot").mkdir()
    for name in ("vmlinuz-6.18", "vmlinuz-6.19", ".hidden", "bad\x1b[2Jname"):
        (tmp_path / name).touch()
    found = completed(f"{tmp_path}/{typed}")
    assert found.text == f"{tmp_path}/{text}"
    assert found.names == names


def test_completion_of_what_only_a_twin_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert completed("twin:7.", simulated=True).names == tuple(
        f"twin:7.{minor}" for minor in range(4)
    )
    assert completed("twin:7.").names == ()
    assert whole("twin:7.3") == "twin:7.3"
    monkeypatch.setenv("HOME", "/home/operator")
    assert whole("~/bzImage") == "/home/operator/bzImage"


async def test_tab_completes_and_then_goes_on(tmp_path: Path) -> None:
    for name in ("vmlinuz-6.18", "vmlinuz-6.19"):
        (tmp_path / name).touch()
    async with rehearsal(OPEN).run_test(size=(120, 30)) as pilot:
        await handover(pilot)
        dialog = await form(pilot)
        dialog.query_one("#kernel", Input).value = f"{tmp_path}/vm"
        await pilot.press("tab")
        await until(pilot, lambda: value(dialog, "kernel").endswith("vmlinuz-6.1"))
        assert "vmlinuz-6.18  vmlinuz-6.19" in text(dialog)
        await typed(pilot, "9")
        await pilot.press("tab")
        await until(pilot, lambda: dialog.focused is dialog.query_one("#initrd"))
        await pilot.press("tab")
        await until(pilot, lambda: dialog.focused is dialog.query_one("#line"))


async def test_the_running_command_line_is_reused_with_edits() -> None:
    async with rehearsal(OPEN).run_test(size=(80, 24)) as pilot:
        await handover(pilot)
        dialog = await form(pilot)
        normal = value(dialog, "line")
        assert "kho=on" in normal
        await choose(pilot, dialog, "for")
        assert "kho=on" not in value(dialog, "line")
        assert "for a crash" in text(dialog)
        await choose(pilot, dialog, "for")
        assert value(dialog, "line") == normal
        dialog.query_one("#line").focus()
        await typed(pilot, "q")
        await pilot.press("end", "space")
        await typed(pilot, "quiet")
        edited = value(dialog, "line")
        assert edited.endswith("quiet")
        await choose(pilot, dialog, "for")
        assert value(dialog, "line") == edited
        await choose(pilot, dialog, "for")
        dialog.query_one("#kernel", Input).value = "twin:6.18.15"
        await choose(pilot, dialog, "load")
        await until(pilot, lambda: isinstance(pilot.app.screen, ActionDialog))
        await until(pilot, lambda: changes(pilot).examined is not None)
        examined = changes(pilot).examined
        assert examined is not None
        assert examined.image == KexecImage("twin:6.18.15", None, edited.encode())


@pytest.mark.parametrize(
    ("running", "placeholder", "line"),
    [
        (b"quiet \xff\x1b[2J", "has bytes that cannot be typed", b"quiet \xff\x1b[2J"),
        (Unknown(Cause.NOT_PERMITTED, "not permitted (EACCES)"), "not permitted", None),
    ],
)
async def test_a_command_line_that_cannot_be_shown_never_reaches_the_terminal(
    running: Maybe[bytes], placeholder: str, line: bytes | None
) -> None:
    app = rehearsal(OPEN)
    async with app.run_test(size=(80, 24)) as pilot:
        await handover(pilot)
        assert app.view is not None
        snapshot = app.view.snapshot
        host = replace(snapshot.machine, command_line=running)
        view = replace(app.view, snapshot=replace(snapshot, machine=host))
        dialog = ImageDialog(view)
        await app.push_screen(dialog)
        await pilot.pause()
        assert placeholder in dialog.query_one("#line", Input).placeholder
        assert value(dialog, "line") == ""
        dialog.query_one("#kernel", Input).value = "twin:6.18.15"
        found = dialog._image()
        if line is None:
            assert found == "type a command line: the running one cannot be read"
        else:
            assert isinstance(found, KexecImage) and found.command_line == line


async def test_checking_changes_nothing_and_stays_on_the_screen() -> None:
    async with rehearsal(STATELESS).run_test(size=(80, 24)) as pilot:
        screen = await handover(pilot)
        dialog = await form(pilot)
        await choose(pilot, dialog, "check")
        assert "name the kernel's file" in text(dialog)
        await typed(pilot, "twin:6.18")
        await choose(pilot, dialog, "check")
        await until(pilot, lambda: " fail, " in text(dialog))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, Section))
        assert changes(pilot).last is None
        assert "fail, " in line(screen, "PREFLIGHT")
        assert "of twin:6.18" in line(screen, "PREFLIGHT")
        again = await form(pilot, "c")
        assert value(again, "kernel") == "twin:6.18"
        await until(pilot, lambda: " fail, " in text(again))


async def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    async with rehearsal(OPEN).run_test(size=(120, 24)) as pilot:
        await handover(pilot)
        dialog = await form(pilot)
        dialog.query_one("#kernel", Input).value = str(tmp_path / "none")
        await choose(pilot, dialog, "check")
        await until(pilot, lambda: "is not there" in text(dialog))
        await choose(pilot, dialog, "load")
        action = await asked(pilot)
        assert "the image cannot be read" in text(action)


async def test_reading_shows_how_far_it_is_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stopped = threading.Event()

    def endless(snapshot: Snapshot, image: KexecImage, watch: Watch) -> Preflight:
        try:
            for _ in range(6000):
                watch.tell(image.kernel, 42 << 20, 100 << 20)
                stopped.wait(0.01)
        except CancelledError:
            stopped.set()
            raise
        raise AssertionError("nobody stopped it")

    monkeypatch.setattr(preflight, "check", endless)
    async with rehearsal(OPEN).run_test(size=(80, 24)) as pilot:
        await handover(pilot)
        dialog = await form(pilot)
        await typed(pilot, "twin:6.18")
        await choose(pilot, dialog, "check")
        await until(pilot, lambda: "twin:6.18: 42 % of 100.0 MiB" in text(dialog))
        await pilot.press("escape")
        await until(pilot, lambda: "called off: nothing was changed" in text(dialog))
        assert stopped.is_set()
        assert pilot.app.screen is dialog
        assert changes_of(pilot.app).examined is None


async def test_a_crash_image_is_loaded_and_unloaded() -> None:
    async with rehearsal("linux-6.18.15/cold").run_test(size=(100, 50)) as pilot:
        screen = await handover(pilot)
        dialog = await form(pilot)
        await typed(pilot, "twin:6.18.15")
        await choose(pilot, dialog, "for")
        await choose(pilot, dialog, "load")
        action = await asked(pilot)
        assert "flags=ON_CRASH|NO_INITRAMFS" in text(action)
        assert "undone  by unload --crash" in text(action)
        assert "/sys/kernel/kexec_crash_loaded: 1, as expected" in await done(pilot)
        await asked(pilot, "U")
        assert "/sys/kernel/kexec_crash_loaded: 0, as expected" in await done(pilot)
        assert "[OPEN]" in text(screen)


async def test_a_recording_can_be_checked_against_but_not_loaded() -> None:
    async with console(OPEN).run_test(size=(100, 40)) as pilot:
        await handover(pilot)
        dialog = await form(pilot)
        await typed(pilot, "twin:6.18.15")
        await choose(pilot, dialog, "load")
        action = await asked(pilot)
        assert "[ Load ]" not in text(action)
        assert "not done: the console was opened to look only" in text(action)
