"""The command line. It parses, prints and exits; what it does is in the library.

Exit codes: 0 done · 1 some records rejected, or a difference · 2 wrong usage or unreadable source
· 3 loss not allowed · 130 interrupted · 141 the reader of the output went away.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import NoReturn

import click

from labelconv.cli.check import check
from labelconv.cli.convert import convert
from labelconv.cli.datarows import datarows
from labelconv.cli.diff import diff
from labelconv.cli.explain import explain
from labelconv.cli.formats import formats
from labelconv.cli.ontology import ontology
from labelconv.cli.sample import sample
from labelconv.cli.show import show
from labelconv.cli.upload import upload
from labelconv.errors import LabelconvError, LossError, StrictError

USAGE = 2
INTERRUPTED = 130
READER_GONE = 141


class _InOrder(click.Group):
    """Lists the commands in the order in which they are met."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        return list(self.commands)


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"labelconv {version('labelconv')}")
        context.exit()


@click.group(
    cls=_InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version and leave.",
)
def cli() -> None:
    """Convert annotations between formats; nothing is lost in silence.

    SRC and DST are files, folders, quoted globs or URLs; - is a stream. The formats are told from
    content and name where they can be.
    """


for _command in (
    convert,
    check,
    show,
    ontology,
    datarows,
    upload,
    diff,
    sample,
    formats,
    explain,
):
    cli.add_command(_command)


def main() -> NoReturn:
    """Run the command line and exit; a person never sees a traceback for bad data or usage."""
    _write_all_or_fail()
    color = False if os.environ.get("NO_COLOR") else None
    try:
        # Not `cli.main`, which ends a closed pipe with 1, our code for rejected records.
        with cli.make_context("labelconv", sys.argv[1:], color=color) as context:
            code = cli.invoke(context)
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(USAGE)
    except click.ClickException as error:
        _fail(error.format_message(), usage=getattr(error, "ctx", None))
    except (click.Abort, KeyboardInterrupt):
        _exit("interrupted; nothing unfinished is left", INTERRUPTED)
    except LossError as error:
        _exit(str(error), 3)
    except StrictError as error:
        _exit(str(error), 1)
    except LabelconvError as error:
        _exit(str(error), USAGE)
    except BrokenPipeError:
        _reader_gone()
    except OSError as error:
        name = error.filename or "standard output"
        _exit(f"{name}: {(error.strerror or str(error)).lower()}", USAGE)
    except MemoryError:
        _exit("the memory is used up; convert the data in parts", USAGE)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _reader_gone()
    except OSError as error:
        _exit(f"standard output: {(error.strerror or str(error)).lower()}", USAGE)
    sys.exit(code if isinstance(code, int) else 0)


def _write_all_or_fail() -> None:
    """With PYTHONUNBUFFERED the rest of a write that ended half-way would vanish in silence."""
    raw = getattr(sys.stdout, "buffer", None) if sys.stdout is sys.__stdout__ else None
    if isinstance(raw, io.RawIOBase):
        buffered = io.BufferedWriter(raw)
        sys.stdout = io.TextIOWrapper(buffered, encoding="utf-8", write_through=True)


def _fail(message: str, usage: click.Context | None) -> NoReturn:
    hint = f"\n{usage.get_usage()}" if usage is not None else ""
    _exit(message + hint, USAGE)


def _exit(message: str, code: int) -> NoReturn:
    try:
        sys.stdout.flush()
    except OSError:
        _silence_output()
    with contextlib.suppress(OSError):
        click.echo(f"labelconv: {message}", err=True)
    sys.exit(code)


def _reader_gone() -> NoReturn:
    """As a shell shows a program that a closed pipe ended; quietly, since nobody reads on."""
    _silence_output()
    sys.exit(READER_GONE)


def _silence_output() -> None:
    """Keep the interpreter from flushing, once more and in vain, at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
