"""What an export names by an address alone: in the folder of media, or fetched from there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from labelconv import codes
from labelconv.formats.labelbox_export.faults import Refused
from labelconv.formats.labelbox_export.fetch import FetchError, bearer, fetch
from labelconv.formats.labelbox_export.options import LabelboxExportReaderOptions
from labelconv.media import MediaFiles
from labelconv.targets import write_beside


class Addressed:
    """Gets files by their addresses; what was fetched stays in the folder of media."""

    def __init__(self, options: LabelboxExportReaderOptions, media: MediaFiles) -> None:
        self._media = media
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
    ) -> bytes:
        """The bytes at an address. Raises `Refused`.

        `names` are what its file in the folder of media may be called, besides what it is called
        when it was fetched; that is done only for what is `whole`.
        """
        # What is asked for here is needed, so the folder of media is made use of.
        self._media.asked = True
        cached = None
        if self._media.folder is not None:
            cached = self._media.folder / cache_name(address, ending)
            found = self._file(cached, names)
            if found is not None:
                try:
                    return found.read_bytes()
                except OSError as error:
                    reason = (error.strerror or str(error)).lower()
                    raise Refused(codes.FILE_MISSING, at, file=f"{found} ({reason})") from None
        if not self._fetches:
            folder = "" if self._media.folder is None else f" in {self._media.folder}"
            what = f"a copy of {address}{folder} (-O fetch=true fetches it)"
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
