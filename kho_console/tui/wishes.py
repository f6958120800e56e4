"""The steps that can be chosen; what plans them is loaded when it is asked for, on a thread."""

from functools import partial
from typing import TYPE_CHECKING

from kho_console.model.change import KexecImage
from kho_console.tui.wish import Wish

if TYPE_CHECKING:
    from kho_console.engine.actions.planning import Planner
    from kho_console.engine.image_files import Watch


def step(name: str) -> Wish:
    """A step of the life cycle, by its name."""

    def planner(watch: "Watch") -> "Planner":
        from kho_console.engine.actions import steps

        return steps.planner(name)

    return Wish(name, planner)


def load(image: KexecImage) -> Wish:
    """The load of an image."""

    def planner(watch: "Watch") -> "Planner":
        from kho_console.engine.actions import load as loading

        return partial(loading.load, image=image, watch=watch)

    return Wish("load", planner, image)


def hotplug(target: str, *, online: bool) -> Wish:
    """A memory block or a CPU on or off line."""

    def planner(watch: "Watch") -> "Planner":
        from kho_console.engine.actions import hotplug as plugging

        return partial(plugging.hotplug, word=target, online=online)

    return Wish("online" if online else "offline", planner)
