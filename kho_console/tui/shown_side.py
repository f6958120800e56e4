"""Which side's preserved memory is on the screen: what goes out, or what came in."""

from kho_console import text_mechanisms
from kho_console.engine import arrived, strip
from kho_console.engine.arrived import Fates
from kho_console.engine.observer import View
from kho_console.engine.preserved_view import PreservedView
from kho_console.engine.strip import StripMap
from kho_console.model.unknown import Unknown


class ShownSide:
    """One of the two sides.

    Attributes:
        incoming: Whether it is what came in.
    """

    def __init__(self) -> None:
        """Begin with what goes out."""
        self.incoming = False
        self._strip: tuple[StripMap, StripMap] | None = None

    @property
    def title(self) -> str:
        """What stands before its answer."""
        return "CAME IN" if self.incoming else "PRESERVED"

    def of(self, view: View) -> PreservedView:
        """Its memory, and whose it is."""
        inventory = view.snapshot.inventory
        outgoing = PreservedView(inventory.preserved, inventory.ownership)
        return view.incoming if self.incoming else outgoing

    def strip(self, view: View) -> StripMap:
        """Its strip: the same object as long as it is the same."""
        if not self.incoming:
            return view.strip
        if self._strip is None or self._strip[0] is not view.strip:
            came = view.incoming
            self._strip = view.strip, strip.of_side(view.strip, came.preserved, came.ownership)
        return self._strip[1]

    def fates(self, view: View) -> Fates:
        """What became of its memory; nothing of what goes out."""
        return arrived.fates(view.snapshot.incoming) if self.incoming else Fates()

    def words(self, view: View, said: str) -> str:
        """What is said of it, and the key that shows the other side where that has a map."""
        if self.incoming:
            if isinstance(view.incoming.preserved, Unknown):
                return said
            return f"{said} · {text_mechanisms.fates(self.fates(view).shares())}"
        return said if isinstance(view.incoming.preserved, Unknown) else f"{said} · i: what came in"
