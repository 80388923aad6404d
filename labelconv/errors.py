"""Exceptions: the caller's mistakes and unreadable sources, each also the builtin one expects.

Bad data never raises; it becomes a `Problem` in the `Report`.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labelconv.problems import Report


class LabelconvError(Exception):
    """The root of all exceptions of this library. The message is a sentence for a person."""


class UnknownFormatError(LabelconvError, LookupError):
    """No format of that name is installed, or none recognises the source."""


class MissingDependencyError(LabelconvError, ImportError):
    """A part needs a library that is not installed; the message names what to install."""


class OptionError(LabelconvError, ValueError):
    """An option or an argument is unknown or out of range."""


class SourceError(LabelconvError, OSError):
    """The source cannot be read at all: missing, not permitted, cut off, in another encoding."""


class TargetError(LabelconvError, OSError):
    """The target cannot be written: disk full, not permitted, or it is the source itself."""


class LossError(LabelconvError, ValueError):
    """Something would be lost that the caller did not allow. Nothing was written."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


class StrictError(LabelconvError, ValueError):
    """`strict` was asked for and the source has an error. Nothing was written."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def reason_of(error: OSError) -> str:
    """What the system says, for the end of a sentence."""
    known = {
        errno.ENOENT: "it does not exist",
        errno.EACCES: "no permission to read or write it",
        errno.EISDIR: "a file expected, a folder found",
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EFBIG: "the file would be larger than allowed",
        errno.EROFS: "the disk is read-only",
    }
    reason = known.get(error.errno or 0)
    return reason or in_a_sentence(error.strerror or str(error))


def in_a_sentence(sentence: str) -> str:
    """The sentence with a small first letter."""
    return sentence[:1].lower() + sentence[1:]
