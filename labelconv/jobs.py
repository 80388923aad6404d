"""Several processes on one source: forked, each with a stretch of it, joined in the source's order.

The process that was started converts the first stretch itself, as it would convert everything, and
then takes in what the others made, one after the other. What cannot be taken in (ids that occur in
two stretches, say) it converts itself: so the result is the same, byte for byte, as that of one
process, and whoever takes part decides alone what is safe. Only stretches are handed out and only
finished bytes and sums come back; no sample ever crosses over (docs/decisions/0010).

Three take part: a reader that has found stretches (`Crew.start`, `Crew.take`), a writer with a
`SharedWriting` (`Crew.enroll`), and `labelconv.convert`, which brings them together.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import shutil
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import msgspec

from labelconv.errors import LabelconvError, OptionError
from labelconv.problems import Report

if TYPE_CHECKING:
    from labelconv.model import Dataset, Sample

#: Less than this for each process is not worth starting one.
LEAST_BYTES = 1 << 21
#: Found out automatically, not more than this: what was made is joined in one process.
_MOST_PROCESSES = 8
#: The name of the thread that draws the progress bar, which holds nothing that a fork needs.
PROGRESS_THREAD = "labelconv-progress"
_LOOK_AFTER_SECONDS = 0.5
_COPIED_BYTES = 1 << 27
_BUFFER_BYTES = 1 << 18

#: A stretch in a process of its own: given a report, its samples, and a function to be called after
#: the last one for what the reader must know of them (pickled).
Stretch: TypeAlias = "Callable[[Report], tuple[Iterator[Sample], Callable[[], Any]]]"
#: What such a process does with samples: given these, its report, and the file for its output; what
#: the others that take part must know, by their names (pickled).
Work: TypeAlias = "Callable[[Iterator[Sample], Report, BinaryIO], dict[str, Any]]"


class Joint(msgspec.Struct, frozen=True):
    """How one that takes part takes in what another process made.

    - `fits(state)`: whether it can; changes nothing.
    - `join(state, output)`: takes it in, when all that take part can. `output` is the file of the
      process, at its start.
    """

    fits: Callable[[Any], bool]
    join: Callable[[Any, BinaryIO], None]


class SharedWriting(msgspec.Struct, frozen=True):
    """How a writer works in several processes; it takes samples in pieces, in any process.

    - `write(dataset, target, options, report, enroll)`: as `Format.write`; calls `enroll` with its
      `Joint` before it asks for the first sample.
    - `write_part(samples, file, options, report)`: writes what belongs behind the output of others,
      to a file that is not at its start; returns what `Joint` must know (pickled).
    """

    write: Callable[[Dataset, Path, Any, Report, Callable[[Joint], None]], None]
    write_part: Callable[[Iterator[Sample], BinaryIO, Any, Report], Any]


class Crew:
    """The processes of one run, `count` with the first one. Ends them all at `end`."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._folder: Path | None = None
        self._work: Work | None = None
        self._joints: dict[str, Joint] = {}
        self._members: list[_Member] = []

    # ------------------------------------------------------------------ setting up

    def prepare(self, folder: Path, work: Work) -> None:
        """What the others do, and the folder on whose disk they write."""
        self._folder = folder
        self._work = work

    def enroll(self, name: str, joint: Joint) -> None:
        """Take part, under the name by which `Work` returns what must be known."""
        self._joints[name] = joint

    @property
    def is_ready(self) -> bool:
        """Whether stretches may be handed out: once, in a run that is prepared."""
        return self._work is not None and not self._members

    # ------------------------------------------------------------------ the reader's side

    def number_for(self, size: int) -> int:
        """How many of the processes so many bytes are worth."""
        return max(1, min(self.count, size // LEAST_BYTES))

    def start(self, stretches: Sequence[Stretch]) -> bool:
        """Start a process for each stretch; False, and none, where the system has no room."""
        _flush()
        try:
            for stretch in stretches:
                self._members.append(self._started(stretch))
        except OSError:
            self.end()
            return False
        return True

    def take(self, number: int, fits: Callable[[Any], bool]) -> Any | None:
        """Wait for a process, and take in what it made if all can; the reader's state of it then.

        None when some cannot, or when it met something that the first process must see itself.
        Raises `LabelconvError` when it was ended from outside.
        """
        member = self._members[number]
        code = member.wait()
        if code < 0:
            name = _signal_name(-code)
            raise LabelconvError(
                f"process {number + 2} of {len(self._members) + 1} was ended from outside "
                f"({name}), as it happens where memory is used up; nothing was written. "
                f"Convert with --jobs 1."
            )
        if code:
            return None
        states = member.states()
        if not fits(states["reader"]):
            return None
        if not all(joint.fits(states[name]) for name, joint in self._joints.items()):
            return None
        for name, joint in self._joints.items():
            joint.join(states[name], member.output)
        member.close()
        return states["reader"]

    def end(self) -> None:
        """End whatever still runs and drop what was not taken."""
        for member in self._members:
            member.end()
        self._members = []
        self._work = None

    # ------------------------------------------------------------------ processes

    def _started(self, stretch: Stretch) -> _Member:
        with contextlib.ExitStack() as opened:
            # Without buffers, so that the place in the file is that of the descriptor they share.
            output = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - closed by the stack
            opened.enter_context(output)
            states = opened.enter_context(tempfile.TemporaryFile(buffering=0))
            parent = os.getpid()
            # No Ctrl-C before the process has settled: it would clean up after its parent.
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                process = _forked()
            finally:
                if os.getpid() == parent:
                    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            opened.pop_all()
        if process:
            return _Member(process, output, states)
        # Nothing of the parent's stack may run on here, above all not what cleans up after it.
        code = 1
        try:
            _settle_in(parent)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            self._convert(stretch, output, states)
            code = 0
        except BaseException:  # noqa: S110 - the parent meets the same, and says it
            pass
        finally:
            os._exit(code)

    def _convert(self, stretch: Stretch, output: FileIO, states: FileIO) -> None:
        import pickle

        assert self._work is not None
        report = Report(part=True)
        samples, seal = stretch(report)
        with io.BufferedWriter(output, _BUFFER_BYTES) as file:
            sent = self._work(samples, report, file)
        sent |= {"reader": seal(), "report": report.sealed()}
        with io.BufferedWriter(states) as file:
            pickle.dump(sent, file, pickle.HIGHEST_PROTOCOL)


class _Member:
    """A process that was started, and the nameless files it writes to."""

    def __init__(self, process: int, output: FileIO, states: FileIO) -> None:
        self.process: int | None = process
        self.output = output
        self._states = states

    def wait(self) -> int:
        """The exit code, negative for a signal."""
        assert self.process is not None
        _, status = os.waitpid(self.process, 0)
        self.process = None
        return os.waitstatus_to_exitcode(status)

    def states(self) -> dict[str, Any]:
        import pickle

        self._states.seek(0)
        self.output.seek(0)
        with io.BufferedReader(self._states) as file:
            # Written by a fork of this very process, to a file without a name.
            states: dict[str, Any] = pickle.load(file)  # noqa: S301 - see above
        return states

    def close(self) -> None:
        self.output.close()
        self._states.close()

    def end(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.process, 0)
            self.process = None
        self.close()


def _forked() -> int:
    with warnings.catch_warnings():
        # Python warns of any other thread; `number_of` and who asks for more know of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _settle_in(parent: int) -> None:
    """What a process does first: leave Ctrl-C to its parent, and end when that is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def look(*_: object) -> None:
        if os.getppid() != parent:
            os._exit(1)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_AFTER_SECONDS, _LOOK_AFTER_SECONDS)
    gc.freeze()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _flush() -> None:
    """Leave nothing in the buffers of standard streams that two processes could write."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()


def number_of(jobs: int | None, size: int) -> int:
    """How many processes to use for `size` bytes, when `jobs` were asked for.

    Without a number: as many as there are cores, for a large source, where forking is certain to
    be safe (Linux, no other threads). Raises `OptionError` for less than one.
    """
    if jobs is not None and jobs < 0:
        raise OptionError(f"a number of processes expected, 0 for as many as help; {jobs} found")
    if not hasattr(os, "fork"):
        return 1
    most = max(1, size // LEAST_BYTES)
    if jobs:
        return min(jobs, most)
    others = [each for each in threading.enumerate() if each.name != PROGRESS_THREAD]
    if not sys.platform.startswith("linux") or len(others) > 1:
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES, most)


def append(source: BinaryIO, target: BinaryIO) -> None:
    """Put the rest of one file at the end of another, in the system where that is possible."""
    target.flush()
    if hasattr(os, "copy_file_range"):
        with contextlib.suppress(OSError):
            # Offsets are those of the descriptors, which `seek` and `flush` have set.
            while os.copy_file_range(source.fileno(), target.fileno(), _COPIED_BYTES):
                pass
    shutil.copyfileobj(source, target, 1 << 20)
