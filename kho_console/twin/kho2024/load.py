"""`kexec_file_load` on a kernel of the series of 2024: an active one adds copies of its state."""

import errno

from kho_console.abi import kho2024_tree
from kho_console.model.change import KexecImage
from kho_console.model.memory import MemoryRange
from kho_console.twin import loading
from kho_console.twin.image import ImageTold
from kho_console.twin.kho2024.carried import Carried2024
from kho_console.twin.kho2024.outgoing import Outgoing2024
from kho_console.twin.loading import Loaded
from kho_console.twin.refused import Refused


def load(hand: Outgoing2024, image: KexecImage, told: ImageTold) -> Loaded:
    """Place a normal image; while inactive it is a plain one, placed anywhere.

    Raises:
        Refused: EADDRNOTAVAIL where it does not fit, EINVAL where it is larger than half of RAM
            or a preserved range lies in scratch.
    """
    hardware = hand.hardware
    if hand.tree is None:
        segments = loading.placed(hardware, image, told, [list(hardware.ram)])
        return Loaded(image, told, segments)
    if hand.overlaps_scratch:
        raise Refused(errno.EINVAL, "a preserved range lies in scratch")
    records = kho2024_tree.mem_cache(hand.preserved)
    page = hardware.page_size
    first = [(_whole(len(item), page), page) for item in (hand.tree, records)]
    segments = loading.placed(hardware, image, told, [[hand.scratch]], first)
    tree, cache = segments[:2]
    carried = Carried2024(
        MemoryRange(tree.start, len(hand.tree)),
        hand.tree,
        hand.scratch,
        MemoryRange(cache.start, len(records)),
        records,
    )
    return Loaded(image, told, segments, carried)


def _whole(size: int, page: int) -> int:
    return max(-(-size // page), 1) * page
