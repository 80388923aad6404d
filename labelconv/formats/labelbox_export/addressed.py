"""What an export names by an address alone: in the folder of media, or fetched from there."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from labelconv import codes
from labelconv.formats.labelbox_export.faults import Refused
from labelconv.formats.labelbox_export.fetch import FetchError, bearer, fetch
from labelconv.formats.labelbox_export.options import LabelboxExportReaderOptions
from labelconv.media import MediaFiles
from labelconv.targets import write_beside


class Passes:
    """A folder, while a dataset is in use, of what several passes over its source ask for."""

    def __init__(self) -> None:
        self._made: Path | None = None

    def folder(self) -> Path:
        """The folder; it goes with this object."""
        if self._made is None:
            self._made = Path(tempfile.mkdtemp(prefix="labelconv-"))
            weakref.finalize(self, shutil.rmtree, self._made, ignore_errors=True)
        return self._made


class Addressed:
    """Gets files by their addresses; what was fetched stays in the folder of media."""

    def __init__(
        self, options: LabelboxExportReaderOptions, media: MediaFiles, passes: Passes
    ) -> None:
        self._media = media
        self._passes = passes
        self._fetches = options.fetch
        self._host = options.api_host
        self._key = bearer(options.api_key_env) if options.fetch else None

    def data(
        self,
        address: str,
        at: str,
        names: Sequence[str],
        ending: str,
        whole: Callable[[bytes], bool],
        *,
        each_pass: bool = False,
    ) -> bytes:
        """The bytes at an address. Raises `Refused`.

        `names` are what its file in the folder of media may be called, besides what it is called
        when it was fetched; that is done only for what is `whole`. `each_pass`: it is asked for by
        the pass for the ontology too, and so is kept without that folder as well.
        """
        # What is asked for here is needed, so the folder of media is made use of.
        self._media.asked = True
        folder = self._media.folder
        if folder is None and each_pass and self._fetches:
            folder = self._passes.folder()
        cached = None
        if folder is not None:
            cached = folder / cache_name(address, ending)
            found = self._file(cached, names)
            if found is not None:
                try:
                    return found.read_bytes()
                except OSError as error:
                    reason = (error.strerror or str(error)).lower()
                    raise Refused(codes.FILE_MISSING, at, file=f"{found} ({reason})") from None
        if not self._fetches:
            where = "" if folder is None else f" in {folder}"
            what = f"a copy of {address}{where} (-O fetch=true fetches it)"
            raise Refused(codes.FILE_MISSING, at, file=what)
        try:
            data = fetch(address, self._host, self._key)
        except FetchError as error:
            raise Refused(codes.FILE_MISSING, at, file=f"{address} ({error})") from None
        if cached is not None and whole(data):
            write_beside(cached, data)
        return data

    def _file(self, cached: Path, names: Sequence[str]) -> Path | None:
        if cached.is_file():
            return cached
        for name in names:
            found = self._media.find(name)
            if isinstance(found, Path):
                return found
        return None


def cache_name(address: str, ending: str = ".png") -> str:
    """The name of the file, in the folder of media, that what was fetched is kept in."""
    return f"{hashlib.sha256(address.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}{ending}"


def is_address(text: str) -> bool:
    """Whether a text is an address rather than what it could stand for."""
    return "://" in text[:12]


def path_of(address: str) -> str:
    """The path of an address; of what is none, all of it."""
    try:
        return urlsplit(address).path
    except ValueError:  # such as half of a pair of brackets
        return address
