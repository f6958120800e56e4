"""When the console reads, and what it says while it cannot."""

import pytest
from textual.geometry import Region
from textual.pilot import Pilot

from kho_console.config.settings import Settings
from kho_console.engine.observer import Observer
from kho_console.model.event import Event
from kho_console.tui.app import KhoConsole
from kho_console.tui.widgets.painted import Painted
from tests.pilot.machines import (
    EACH_LOOK,
    NEVER,
    LiveRecording,
    banner,
    bottom,
    console,
    open_screen,
    seen,
    text,
    until,
)

LOCKED = "/sys/kernel/kexec_crash_size"
LOCKS = (
    LOCKED,
    "/sys/devices/system/cpu/crash_hotplug",
    "/sys/devices/system/memory/crash_hotplug",
)
"""Files whose reading takes the kexec lock: on events and on demand only."""


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def watched(source: LiveRecording, clock: Clock | None = None) -> KhoConsole:
    clock = clock or Clock()
    return KhoConsole(
        Observer(source, clock), settings=Settings(interval=NEVER), patience=5.0, clock=clock
    )


async def look(pilot: Pilot[int], app: KhoConsole) -> None:
    """One tick, and what comes of it."""
    before = app.view
    app.tick()
    await until(pilot, lambda: app.view is not before)


async def test_a_tick_reads_small_files_only() -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    app = watched(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        assert source.looks == 1
        locked = source.reads[LOCKED]
        first = app.view
        app.tick()
        await until(pilot, lambda: app.view is not first)
        assert source.looks == 2
        assert source.reads[LOCKED] == locked
        assert first is not None and app.view is not None
        assert app.view.snapshot.inventory is first.snapshot.inventory


async def test_r_reads_everything() -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    app = watched(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        locked, first = source.reads[LOCKED], app.view
        await pilot.press("r")
        await until(pilot, lambda: app.view is not first)
        assert source.reads[LOCKED] > locked


async def test_every_minute_maps_and_processes_are_walked_but_no_lock_is_taken() -> None:
    source, clock = LiveRecording("linux-7.3.4/sessions"), Clock()
    app = watched(source, clock)
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        locked = [source.reads[path] for path in LOCKS]
        for walked in (False, True, False, True):
            before = app.view
            clock.now += 60 if walked else 59
            await look(pilot, app)
            assert before is not None and app.view is not None
            kept = app.view.snapshot.inventory is before.snapshot.inventory
            assert kept is not walked
        assert [source.reads[path] for path in LOCKS] == locked


async def test_a_fixture_is_read_once_and_on_demand() -> None:
    app = console("linux-7.3.4/sessions")
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot)
        first = app.view
        app.tick()
        await pilot.pause()
        assert app._lookout.busy_for is None
        assert app.view is first
        await pilot.press("r")
        await until(pilot, lambda: app.view is not first)


async def test_pause_stops_reading_and_shows_it() -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    app = watched(source)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        for key in ("p", "space"):
            await pilot.press(key)
            assert "PAUSED" in banner(screen)
            looks = source.looks
            app.tick()
            await pilot.pause()
            assert app._lookout.busy_for is None
            assert source.looks == looks
            await pilot.press(key)
            assert "PAUSED" not in banner(screen)


async def test_events_make_one_look_that_walks_nothing_and_takes_no_lock() -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    app = watched(source)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        locked, looks = [source.reads[path] for path in LOCKS], source.looks
        first = app.view
        await until(pilot, lambda: source.listeners)
        source.listeners[0].send(
            Event(50.0, "offline", "cpu", "cpu1", 918), Event(50.1, "online", "cpu", "cpu1", 919)
        )
        await until(pilot, lambda: "offline cpu1" in text(screen))
        assert source.looks == looks + 1
        assert [source.reads[path] for path in LOCKS] == locked
        assert first is not None and app.view is not None
        assert app.view.snapshot.inventory is first.snapshot.inventory
        assert app.view.flow.backlog == 0


async def test_events_during_a_pause_are_answered_after_it() -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    app = watched(source)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        looks = source.looks
        await pilot.press("p")
        await until(pilot, lambda: source.listeners)
        source.listeners[0].send(Event(50.0, "offline", "cpu", "cpu1", 918))
        await until(pilot, lambda: app._lookout._missed)
        assert source.looks == looks
        await pilot.press("p")
        await until(pilot, lambda: "offline cpu1" in text(screen))


async def test_a_late_read_is_stale_with_its_age_and_no_second_one_starts() -> None:
    source, clock = LiveRecording("linux-7.3.4/sessions"), Clock()
    app = watched(source, clock)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        first = app.view
        source.gate.clear()
        app.tick()
        await until(pilot, lambda: source.looks == 2)
        clock.now += 4
        app.tick()
        assert "STALE" not in banner(screen)
        clock.now += 3
        app.tick()
        assert "STALE 7 s" in banner(screen)
        await pilot.press("4")
        assert "15.2 MiB (15,896,576 bytes)" in text(await seen(pilot))
        assert source.looks == 2
        source.gate.set()
        await until(pilot, lambda: app.view is not first)
        await pilot.press("1")
        assert "STALE" not in banner(await seen(pilot))
        assert app._lookout.busy_for is None
        assert source.looks == 2


async def test_before_the_first_look_it_says_what_it_waits_for() -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    source.gate.clear()
    app = watched(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: source.reads[EACH_LOOK] == 1)
        await pilot.press("1", "2", "3", "4", "5", "8", "9", "question_mark", "1", "enter", "down")
        await until(pilot, lambda: "reading" in banner(app.screen))  # type: ignore[arg-type]
        source.gate.set()
        screen = await seen(pilot)
        assert "reading" not in banner(screen)
        assert "HANDOVER" in text(screen)


async def test_an_error_of_the_thread_is_said_and_the_next_look_goes_on() -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    app = watched(source)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await seen(pilot)
        first = app.view
        source.broken = True
        app.tick()
        await until(pilot, lambda: "the disk is on fire" in bottom(screen))
        assert "x read failed" in banner(screen)
        assert "HANDOVER" in text(screen)
        source.broken = False
        app.tick()
        await until(pilot, lambda: app.view is not first)
        await until(pilot, lambda: "read failed" not in banner(screen))


async def test_nothing_is_drawn_when_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    app = watched(source)
    drawn: list[str] = []
    watching = False
    refresh = Painted.refresh

    def counted(widget: Painted, *regions: Region, **options: bool) -> Painted:
        if watching:
            drawn.append(repr(widget))
        return refresh(widget, *regions, **options)

    monkeypatch.setattr(Painted, "refresh", counted)
    async with app.run_test(size=(80, 24)) as pilot:
        for key in ("1", "2", "3", "4", "5", "8", "9"):
            screen = await open_screen(pilot, key)
            watching = True
            await look(pilot, app)
            await seen(pilot)
            assert screen.view is app.view
            watching = False
            assert not drawn, key
