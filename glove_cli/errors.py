"""The errors that a user can cause or mend.

Every message has the shape ``PATH-or-OPTION: what is wrong, with the value. What to do.``
The library raises these; only the command line turns them into an exit code.
"""

from __future__ import annotations


class GloveError(Exception):
    """Something the user can mend; the command line prints it as one line and exits with `exit_code`."""

    exit_code = 1


class OptionError(GloveError, ValueError):
    """An option or argument has a value that cannot work."""

    exit_code = 2


class CorpusError(GloveError):
    """A corpus can't be read, or holds nothing to count."""


class FormatError(GloveError):
    """A file or folder is not what it should be: of another kind, cut short, or damaged."""


class OutputError(GloveError):
    """An output already exists or can't be written."""


class UnknownWordError(GloveError, KeyError):
    """A word is not in the vocabulary."""

    def __str__(self) -> str:
        return str(self.args[0])


class TrainingError(GloveError):
    """Training can't start or can't go on: no entries, entries that are not positive, a cost that is not finite."""


class ClusterError(GloveError):
    """A cluster can't be reached, or its machines fail again and again."""
