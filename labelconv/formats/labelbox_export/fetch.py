"""Fetches masks from their addresses, with the API key for the one host that it is for."""

from __future__ import annotations

import http.client
import os
import time
import urllib.error
import urllib.request
from ipaddress import ip_address
from typing import IO, Any
from urllib.parse import urlsplit

from labelconv.errors import OptionError

#: A picture of 9,000 × 9,000 pixels without any compression, which is more than masks need.
_MOST_BYTES = 256 << 20
_SECONDS = 60
_PAUSES = (0.5, 2.0)
_AGAIN = frozenset((408, 429, 500, 502, 503, 504))


class FetchError(Exception):
    """Why an address could not be fetched, in words."""


def bearer(name: str | None) -> str | None:
    """The key in an environment variable. Raises `OptionError` where it is not set."""
    if name is None:
        return None
    found = os.environ.get(name, "").strip()
    if not found:
        raise OptionError(f"an API key in the environment variable {name!r} expected, none found")
    return found


def fetch(url: str, host: str, key: str | None) -> bytes:
    """What is at an address of the web; raises `FetchError`.

    The key goes to `host` only, over https (or to this machine itself), and never along with a
    redirection to another host. Busy servers are asked three times.
    """
    try:
        parts = urlsplit(url)
        host_named = parts.hostname
    except ValueError:  # such as half of a pair of brackets
        host_named = None
    if not host_named or parts.scheme not in ("http", "https"):
        raise FetchError("it is no address of the web")
    request = urllib.request.Request(url, headers={"User-Agent": "labelconv"})  # noqa: S310 - of the web, as was seen above
    safe = parts.scheme == "https" or _is_here(host_named)
    if key is not None and parts.netloc.lower() == host.lower() and safe:
        # Unredirected headers stay behind when the server sends us elsewhere.
        request.add_unredirected_header("Authorization", f"Bearer {key}")
    opener = urllib.request.build_opener(_OnlyWeb)
    for pause in (*_PAUSES, None):
        try:
            with opener.open(request, timeout=_SECONDS) as answer:
                return _all_of(answer)
        except urllib.error.HTTPError as error:
            error.close()
            reason = f"the server answered {error.code}"
            if error.code in (401, 403):
                reason += "; -O api_key_env=NAME names the variable with the API key"
            if error.code not in _AGAIN:
                raise FetchError(reason) from None
        except urllib.error.URLError as error:
            reason = str(error.reason).lower()
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = str(error).lower() or type(error).__name__
        if pause is None:
            break
        time.sleep(pause)
    raise FetchError(reason)


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    """Follows redirections within the web, never to files of this machine."""

    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.URLError("it is redirected away from the web")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _all_of(answer: Any) -> bytes:
    data: bytes = answer.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise FetchError(f"more than {_MOST_BYTES >> 20} MB came")
    return data


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
