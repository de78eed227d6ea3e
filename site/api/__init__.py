"""What all REST calls share: keys, limits, errors, JSON. The calls themselves stay with their app (machines/api/)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNUSED = ("requests", "pygments", "psycopg", "yaml")


@contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Make `import` believe that these packages are not installed, unless they are loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None means: do not look for it
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


# The REST framework imports whatever it might one day work with: 18 MB in every web process, for nothing.
with _absent(*UNUSED):
    import rest_framework.compat  # noqa: F401  (for its side effect)
