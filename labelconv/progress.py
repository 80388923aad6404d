"""A progress bar on a terminal for what takes more than a second."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from labelconv.jobs import PROGRESS_THREAD

if TYPE_CHECKING:
    from labelconv.io import Source

#: Shorter work shows nothing.
PATIENCE_SECONDS = 1.0
_EVERY_SECONDS = 0.2


@contextlib.contextmanager
def shown(*, quiet: bool = False) -> Iterator[Callable[[Sequence[Source]], None] | None]:
    """A function to be told the sources that are read, or None where nobody would see a bar.

    The bar is drawn on standard error by a thread that asks how far the sources have been read, so
    that the work itself pays nothing for it.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    sources: list[Source] = []
    done = threading.Event()
    drawing = threading.Thread(
        target=_draw, args=(sources, done), daemon=True, name=PROGRESS_THREAD
    )
    drawing.start()
    try:
        yield sources.extend
    finally:
        done.set()
        drawing.join()


def _draw(sources: list[Source], done: threading.Event) -> None:
    if done.wait(PATIENCE_SECONDS):
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("converting", total=None)
        finished: set[int] = set()
        while not done.wait(_EVERY_SECONDS):
            read = total = 0
            for number, source in enumerate(sources):
                position = source.position()
                if position is not None:
                    finished.add(number)
                    read += position
                    total += source.size()
                elif number in finished:
                    size = source.size()
                    read, total = read + size, total + size
            if total:
                progress.update(task, completed=read, total=total)
