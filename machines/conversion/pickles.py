"""What a pickle would import, read without running it. A courtesy to the person who uploaded it, never the wall."""

import pickletools
import re

from machines.conversion.formats import DAMAGED_PICKLE
from machines.engine.errors import DataError

MOST_STEPS = 2_000_000
ALLOWED = re.compile(
    r"torch\._utils _rebuild_(tensor|tensor_v2|parameter|parameter_with_state)"
    r"|collections OrderedDict"
    r"|torch (\w+Storage|Size|device|b?float(16|32|64)|u?int(8|16|32|64)|bool)"
    r"|torch\.storage (UntypedStorage|TypedStorage)"
    r"|torch\.serialization _get_layout"
    r"|numpy\.(_?core\.multiarray (_reconstruct|scalar))"
    r"|numpy (ndarray|dtype)"
    r"|_codecs encode"
)
HIDDEN = {"STACK_GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4"}  # their name shows only when the pickle runs


def needs(pickle: bytes) -> list[str]:
    """Return what the pickle imports beyond the allow-list, in order, each once. Raises DataError for a broken one.

    A name that shows only when the pickle runs is guessed from the last two strings, and never counts as allowed.
    """
    found: dict[str, None] = {}
    strings: list[str] = []
    try:
        for step, (opcode, argument, _place) in enumerate(pickletools.genops(pickle)):
            if step > MOST_STEPS:
                raise DataError(DAMAGED_PICKLE)
            if opcode.name in HIDDEN:
                found[".".join(strings)[:100] or opcode.name] = None
            elif opcode.name == "GLOBAL":
                if not ALLOWED.fullmatch(str(argument)):
                    found[str(argument).replace(" ", ".")[:100]] = None
            elif isinstance(argument, str):
                strings = [*strings[-1:], argument]
    except DataError:
        raise
    except Exception as error:  # pickletools raises whatever its readers run into
        raise DataError(DAMAGED_PICKLE) from error
    return list(found)
