from kho_console.engine.observer import Look, Observer
from kho_console.model.event import Event
from kho_console.source.fixture import FixtureSource
from tests.fuzz.overlay import Overlay
from tests.pilot.machines import LiveRecording
from tests.recordings import folder


def test_a_light_look_keeps_what_is_costly() -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    observer = Observer(source, clock=lambda: 12.0)
    first = observer.look(Look.LIGHT)
    assert first.taken == 12.0
    assert first.checks and first.findings
    second = observer.look(Look.LIGHT)
    assert second.snapshot is not first.snapshot
    assert second.snapshot.inventory is first.snapshot.inventory
    assert second.checks is first.checks
    assert second.strip.owners is first.strip.owners
    third = observer.look()
    assert third.snapshot.inventory is not first.snapshot.inventory
    assert source.looks == 3


def test_a_slow_look_walks_again_but_takes_no_lock() -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    observer = Observer(source)
    first = observer.look()
    locked = source.reads["/sys/kernel/kexec_crash_size"]
    second = observer.look(Look.SLOW)
    assert second.snapshot.inventory is not first.snapshot.inventory
    assert second.snapshot.inventory.crash_size == first.snapshot.inventory.crash_size
    assert source.reads["/sys/kernel/kexec_crash_size"] == locked == 1


def test_a_light_look_that_sees_the_handover_move_looks_at_everything() -> None:
    loaded = {"/sys/kernel/kexec_loaded": b"0\n"}
    below = FixtureSource(folder("linux-7.3.4/sessions"))
    observer = Observer(Overlay(below, loaded, below.memory))
    first = observer.look()
    assert observer.look(Look.LIGHT).snapshot.inventory is first.snapshot.inventory
    loaded["/sys/kernel/kexec_loaded"] = b"1\n"
    second = observer.look(Look.LIGHT)
    assert second.snapshot.kexec.loaded is True
    assert second.snapshot.inventory is not first.snapshot.inventory
    assert observer.look(Look.LIGHT).snapshot.inventory is second.snapshot.inventory


def test_events_of_a_live_machine_are_kept_and_counted() -> None:
    source = LiveRecording("linux-7.3.4/sessions")
    observer = Observer(source)
    assert observer.wait_for_events(0) == []
    many = [Event(float(at), "online", "memory", f"memory{at}", at) for at in range(150)]
    source.listeners[0].send(*many)
    assert observer.wait_for_events(0) == many
    view = observer.look(Look.LIGHT)
    assert view.events_seen == 150
    assert len(view.events) == 100
    assert view.events[-1] == many[-1]
    assert len(source.streams) == 2  # its own, and one that the doctor tried and closed
    assert len(source.listeners) == 1


def test_events_of_a_recording_are_there_once_however_often_it_is_read() -> None:
    observer = Observer(FixtureSource(folder("linux-7.3.4/hotplugged")))
    for _ in range(2):
        view = observer.look()
        assert view.events_seen == 10
        assert isinstance(view.events[0], Event)
        assert (view.events[0].action, view.events[0].device) == ("offline", "cpu1")
    assert not observer.live
    assert observer.identity[0] == "fixture"
