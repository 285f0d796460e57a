"""The errors that a person is meant to read.

SixkeysError            what failed, where, and what to do: one line, no traceback
├── ConfigurationError  wrong usage or configuration (exit status 2)
├── DataError           input data that cannot be read (exit status 1)
└── DamagedError        a file of ours that cannot be read and was put aside: tried again, others stand in

Each package adds its own below these where a caller has to tell them apart.
"""

from config.text.legible import one_line


class SixkeysError(Exception):
    """A failure that is explained to the user on one line; `exit_status` is what the command line ends with."""

    exit_status = 1

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))


class ConfigurationError(SixkeysError):
    """Wrong usage or configuration: the file, the key, what was found and what works."""

    exit_status = 2


class DataError(SixkeysError):
    """Input data that cannot be read: the file, the row or item, and what to mend."""


class DamagedError(SixkeysError):
    """A file that Sixkeys made and can make again is damaged. It was put aside: the same, tried again, does without."""
