"""A kernel image in a file."""

from kho_console.abi import kernel_image
from kho_console.abi.error import FormatError
from kho_console.abi.reader import Reader
from kho_console.model.finding import About, Finding, Severity
from kho_console.model.image import ImageFormat, KernelImage


def read(reader: Reader) -> tuple[KernelImage, list[Finding]]:
    """What the image is and says, and what is wrong with it.

    Raises:
        FormatError: It is no kernel image.
    """
    found = kernel_image.read(reader)
    if found.format is ImageFormat.UNKNOWN:
        raise FormatError(0, "no format of a kernel image is known that begins like this")
    said = list(found.faults)
    if found.complete is False:
        said.append("the file is cut short: its headers announce more bytes than there are")
    return found, [
        Finding("image-damaged", Severity.ERROR, "image", item, (), None, About.FILE)
        for item in said
    ]
