"""What an upload asks of Labelbox, through the official SDK, with our own patience.

Import jobs are made and looked up by the SDK's `MALPredictionImport` and `LabelImport`. Three
things that the SDK does are not left to it: it repeats a request to make a job blindly after a 5xx
(the job may be there), it downloads status files without a time limit and mends nothing, and its
loggers print where nobody set them up.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec

from labelconv.errors import MissingDependencyError, OptionError, TargetError

ENDPOINT = "https://api.labelbox.com/graphql"
_HOME = ("localhost", "127.0.0.1", "::1")
_FINAL = re.compile(r"^4(?!08|29)\d\d ")
_T = TypeVar("_T")


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait, in seconds.

    After a failure that may pass, `first`, then twice as long each time, `most` at most, `tries`
    times in all. Lines whose job has FAILED are sent `jobs` times in all, with the same pauses, and
    then in halves, of which a run makes `halves` at most (to find one bad data row of 10,000 takes
    28). Between two looks at running jobs, `look`, then half as long again each time that nothing
    has changed, `look_most` at most. `answer`: for an answer.
    """

    first: float = 1.0
    most: float = 60.0
    tries: int = 10
    jobs: int = 3
    halves: int = 256
    look: float = 1.0
    look_most: float = 10.0
    answer: float = 60.0


class Job(msgspec.Struct, frozen=True, rename="camel"):
    """An import job as Labelbox tells it."""

    id: str
    state: Literal["RUNNING", "FINISHED", "FAILED"]
    status_file_url: str | None = None
    error_file_url: str | None = None
    progress: str | None = None

    @property
    def told_at(self) -> str | None:
        """Where it tells of its lines. The file of errors has fewer of them, but may be alone."""
        return self.status_file_url or (self.error_file_url if self.state == "FAILED" else None)


class Status(msgspec.Struct, rename="camel"):
    """What became of a line: a line of a status file."""

    uuid: str | None = None
    data_row: dict[str, Any] | None = None
    status: str | None = None
    errors: list[Any] | dict[str, Any] | str | None = None


class StatusesGoneError(Exception):
    """The status file cannot be had any more; never leaves `labelconv.labelbox`."""


class _MayPassError(Exception):
    """A failure of a download that is worth another try."""


class Server:
    """Labelbox, for one project and one kind of import. `told` hears of failures that may pass."""

    told: Callable[[str], None] | None = None

    def __init__(
        self,
        key: str,
        project: str,
        kind: Literal["mal", "label"],
        *,
        endpoint: str,
        patience: Patience,
    ) -> None:
        labelbox = _sdk()
        self._faults: Any = importlib.import_module("lbox.exceptions")
        self._key = key
        self._project = project
        self._patience = patience
        self._imports: Any = labelbox.MALPredictionImport if kind == "mal" else labelbox.LabelImport
        rest = f"{endpoint.removesuffix('/graphql')}/api/v1"
        self._client: Any = labelbox.Client(api_key=key, endpoint=endpoint, rest_endpoint=rest)
        _once(self._client)

    # ------------------------------------------------------------------ jobs

    def find(self, name: str) -> Job | None:
        """The job of that name, None if there is none. Raises `TargetError` or `OptionError`."""
        return self._patiently(lambda: self._find(name), f"looking for the job {name}")

    def make(self, name: str, path: Path) -> Job:
        """Make the job of that name with the lines in a file, or find it if it is there.

        After each failure the job is looked for: the answer may have been lost, not the request.
        Raises `TargetError` or `OptionError`.
        """

        def once() -> Job:
            try:
                made = self._imports.create_from_file(self._client, self._project, name, str(path))
            except TypeError:  # the SDK reads its answer from None where the project is not found
                raise OptionError(
                    f"Labelbox finds no project {self._project!r} for this key"
                ) from None
            return Job(
                made.uid,
                made.state.value,
                made.status_file_url,
                made.error_file_url,
                made.progress,
            )

        def again() -> Job:
            return self._find(name) or once()

        return self._patiently(once, f"sending the job {name}", again)

    def _find(self, name: str) -> Job | None:
        try:
            found = self._imports.from_name(self._client, self._project, name, as_json=True)
        except self._faults.ResourceNotFoundError:
            return None
        try:
            return None if found is None else msgspec.convert(found, Job)
        except msgspec.ValidationError as error:
            raise TargetError(f"Labelbox, the job {name}: {error}") from None

    # ------------------------------------------------------------------ statuses

    def statuses(self, name: str, job: Job) -> list[Status]:
        """What became of each line of a job.

        An address that is no longer good is asked for anew once. Raises `StatusesGoneError` when
        there is none, or `TargetError`.
        """
        what = f"fetching the statuses of the job {name}"
        try:
            return self._fetched(job, what)
        except StatusesGoneError:
            anew = self.find(name)
            if anew is None or anew.told_at == job.told_at:
                raise
            return self._fetched(anew, what)

    def _fetched(self, job: Job, what: str) -> list[Status]:
        url = job.told_at
        if not url:
            raise StatusesGoneError("the job has no status file")
        return self._patiently(lambda: self._download(url), what)

    def _download(self, url: str) -> list[Status]:
        requests: Any = importlib.import_module("requests")
        try:
            answer = requests.get(url, timeout=self._patience.answer)
        except requests.exceptions.RequestException as error:
            # Not its words: they have the address, which is signed.
            raise _MayPassError(type(error).__name__) from None
        if answer.status_code in (408, 429) or answer.status_code >= 500:
            raise _MayPassError(f"{answer.status_code} {answer.reason}")
        if answer.status_code >= 400:
            raise StatusesGoneError(f"the status file has gone ({answer.status_code})")
        try:
            # Not split as the SDK does it, which breaks lines inside texts.
            return [
                msgspec.json.decode(line, type=Status)
                for line in answer.content.split(b"\n")
                if line.strip()
            ]
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _MayPassError("a status file that is not whole") from None

    # ------------------------------------------------------------------ patience

    def _patiently(
        self, action: Callable[[], _T], what: str, again: Callable[[], _T] | None = None
    ) -> _T:
        """What `action` gives; `again` is tried in its place after the first failure."""
        patience, faults = self._patience, self._faults
        pause = patience.first
        for left in range(patience.tries - 1, -1, -1):
            try:
                return action()
            except (_MayPassError, faults.LabelboxError, faults.MalformedQueryException) as error:
                words = self.without_key(str(error))
                if isinstance(error, faults.AuthenticationError):
                    raise OptionError(f"Labelbox does not accept the API key: {words}") from None
                if isinstance(error, faults.AuthorizationError):
                    raise OptionError(
                        f"the API key may not import into project {self._project!r}: {words}"
                    ) from None
                conflict = again is not None and action is not again
                if not (self._may_pass(error) or conflict) or left == 0:
                    raise TargetError(
                        f"Labelbox, {what}: {words}. Run the same command again to go on from here"
                    ) from None
                if not self._may_pass(error):
                    pause = 0.0
                if self.told is not None:
                    self.told(f"{what}: {words}; trying again in {pause:g} s")
            time.sleep(pause)
            pause = min(patience.most, max(patience.first, 2 * pause))
            action = again or action
        raise AssertionError("the last try returns or raises")

    def _may_pass(self, error: Exception) -> bool:
        faults = self._faults
        passing = (
            _MayPassError,
            faults.ApiLimitError,
            faults.InternalServerError,
            faults.NetworkError,
            faults.TimeoutError,
        )
        # The SDK has no class of its own for 429 and for most of the server's own faults.
        plain = type(error) is faults.LabelboxError and not _FINAL.match(str(error))
        return isinstance(error, passing) or plain

    def without_key(self, text: str) -> str:
        """The text with the API key blotted out, should a server repeat it."""
        return text.replace(self._key, "…")


def check_endpoint(endpoint: str) -> None:
    """Raise `OptionError` for an address to which the API key must not be sent."""
    try:
        parts = urlsplit(endpoint)
        here = parts.scheme == "http" and parts.hostname in _HOME
    except ValueError:  # such as half of a pair of brackets
        raise OptionError(f"an https address expected, {endpoint!r} found") from None
    if parts.scheme == "https" or here:
        return
    raise OptionError(
        f"an https address expected, since the API key is sent to it; {endpoint!r} found"
    )


def _sdk() -> Any:
    try:
        return importlib.import_module("labelbox")
    except ImportError as error:
        raise MissingDependencyError(
            "uploading needs the labelbox SDK. Install it with `pip install 'labelconv[labelbox]'`."
        ) from error


def _once(client: Any) -> None:
    """Take away the SDK's own repetition of requests, where it is as we know it."""
    inner = vars(client).get("_request_client")
    plain = getattr(getattr(type(inner), "execute", None), "__wrapped__", None)
    if plain is not None:
        vars(inner)["execute"] = plain.__get__(inner)


@contextlib.contextmanager
def quiet_sdk() -> Iterator[None]:
    """Keep the SDK's loggers from printing where logging is not set up."""
    handler = logging.NullHandler()
    loggers = [logging.getLogger(name) for name in ("labelbox", "lbox")]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
