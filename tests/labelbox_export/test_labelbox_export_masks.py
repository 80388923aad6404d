"""Masks by their address: from the folder of media, or fetched from a server on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelbox_export_help import label, lines, row

import labelconv as lc
from labelconv import masks
from labelconv.convert import convert
from labelconv.errors import OptionError
from labelconv.formats.labelbox_export import fetch as fetching
from labelconv.formats.labelbox_export.addressed import cache_name
from labelconv.model import Mask

PIXELS = np.zeros((6, 8), np.uint8)
PIXELS[1:3, 2:7] = 255
COLOURS = np.zeros((6, 8, 3), np.uint8)
COLOURS[:3, :4] = (255, 0, 0)
COLOURS[3:, 4:] = (0, 255, 0)


def _grey() -> bytes:
    return masks.to_png(masks.from_array(PIXELS))


class Server:
    """Serves masks and `files`, and remembers who asked with which key."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.busy = 0
        self.elsewhere = ""
        self.files: dict[str, bytes] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                key = self.headers.get("Authorization")
                server.asked.append((self.path, key))
                if server.busy:
                    server.busy -= 1
                    self._say(503, b"")
                elif self.path == "/moved":
                    self.send_response(302)
                    self.send_header("Location", f"{server.elsewhere}/open")
                    self.end_headers()
                elif self.path == "/file":
                    self.send_response(302)
                    self.send_header("Location", "file:///etc/hostname")
                    self.end_headers()
                elif self.path == "/composite":
                    self._say(200, masks.colours_to_png(COLOURS))
                elif self.path in server.files and key == "Bearer secret":
                    self._say(200, server.files[self.path])
                elif self.path == "/open" or key == "Bearer secret":
                    self._say(200, _grey())
                else:
                    self._say(401, b"no key")

            def _say(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._http.server_port}"
        serve = self._http.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(fetching, "_PAUSES", (0.0, 0.0))
    monkeypatch.setenv("MASK_KEY", "secret")
    started = Server()
    yield started
    started.close()


def _export(path: Path, *urls: str | dict[str, Any]) -> Path:
    objects = []
    for n, url in enumerate(urls):
        payload = {"composite_mask": url} if isinstance(url, dict) else {"mask": {"url": url}}
        kind = "ImageSegmentationMask"
        objects.append({"feature_id": f"f{n}", "name": "road", "annotation_kind": kind, **payload})
    return lines(path / "export.ndjson", row(label(*objects)))


def _masks(export: Path, media: Path | None, **options: Any) -> tuple[list[Any], lc.Report]:
    dataset = lc.read(export, "labelbox-export", options=options, media=media)
    (sample,) = dataset
    return [annotation.value for annotation in sample.annotations], dataset.report


def test_a_mask_is_fetched_with_the_key_only_when_asked_for_and_kept_in_the_folder(
    server: Server, tmp_path: Path
) -> None:
    media = tmp_path / "masks"
    media.mkdir()
    url = f"http://{server.host}/mask"
    export = _export(tmp_path, url)

    found, report = _masks(export, media)
    assert (found, report.counts) == ([], {"R112": 1})
    assert report.problems[0].where.pointer is not None
    assert report.problems[0].where.pointer.endswith("/objects/0/mask/url")
    assert server.asked == []

    options = {"fetch": True, "api_key_env": "MASK_KEY", "api_host": server.host}
    found, report = _masks(export, media, **options)
    assert found == [masks.from_array(PIXELS)]
    assert report.counts == {}
    assert server.asked == [("/mask", "Bearer secret")]
    assert [path.name for path in media.iterdir()] == [cache_name(url)]

    found, _ = _masks(export, media)
    assert found == [masks.from_array(PIXELS)]
    assert len(server.asked) == 1


def test_the_key_goes_to_no_other_host_nor_along_with_a_redirection(
    server: Server, tmp_path: Path
) -> None:
    other = Server()
    try:
        server.elsewhere = f"http://{other.host}"
        export = _export(tmp_path, f"http://{other.host}/open", f"http://{server.host}/moved")
        options = {"fetch": True, "api_key_env": "MASK_KEY", "api_host": server.host}
        found, _ = _masks(export, None, **options)
        assert len(found) == 2
        assert server.asked == [("/moved", "Bearer secret")]
        assert other.asked == [("/open", None), ("/open", None)]
    finally:
        other.close()


def test_the_key_does_not_travel_unencrypted_to_a_host_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[Any] = []

    class Opener:
        def open(self, request: Any, timeout: float) -> Any:
            sent.append(request)
            raise OSError("stopped here")

    monkeypatch.setattr(fetching.urllib.request, "build_opener", lambda *_: Opener())
    monkeypatch.setattr(fetching, "_PAUSES", ())
    for scheme in ("http", "https"):
        with pytest.raises(fetching.FetchError, match="stopped here"):
            fetching.fetch(f"{scheme}://api.example.org/m", "api.example.org", "secret")
    plain, encrypted = sent
    assert plain.unredirected_hdrs == {}
    assert encrypted.unredirected_hdrs == {"Authorization": "Bearer secret"}


def test_a_busy_server_is_asked_again_and_a_refusal_is_told_at_its_place(
    server: Server, tmp_path: Path
) -> None:
    server.busy = 2
    export = _export(tmp_path, f"http://{server.host}/open", f"http://{server.host}/locked")
    found, report = _masks(export, None, fetch=True)
    assert len(found) == 1
    assert [path for path, _ in server.asked] == ["/open", "/open", "/open", "/locked"]
    assert report.counts == {"R112": 1}
    assert "401" in report.problems[0].message
    assert "secret" not in str(report.as_dict())


@pytest.mark.parametrize("fetch", [True, False])
@pytest.mark.parametrize(
    "url",
    ["file:///etc/hostname", "ftp://example.org/m.png", "https://[x/m.png", "https:///m\0.png"],
)
def test_what_is_no_address_of_the_web_is_not_fetched(
    url: str, fetch: bool, tmp_path: Path
) -> None:
    found, report = _masks(_export(tmp_path, url), tmp_path, fetch=fetch)
    assert (found, report.counts) == ([], {"R112": 1})


def test_a_redirection_to_a_file_of_this_machine_is_not_followed(
    server: Server, tmp_path: Path
) -> None:
    export = _export(tmp_path, f"http://{server.host}/file")
    found, report = _masks(export, None, fetch=True)
    assert (found, report.counts) == ([], {"R112": 1})


def test_composite_masks_of_one_picture_are_told_apart_by_colour_and_fetched_once(
    server: Server, tmp_path: Path
) -> None:
    url = f"http://{server.host}/composite"
    red, green = ({"url": url, "color_rgb": c} for c in ([255, 0, 0], [0, 255, 0]))
    found, _ = _masks(_export(tmp_path, red, green), None, fetch=True)
    assert found == [
        masks.from_array(COLOURS[:, :, 0]),
        masks.from_array(COLOURS[:, :, 1]),
    ]
    assert len(server.asked) == 1


def test_masks_saved_by_hand_are_found_by_the_id_of_the_feature_or_by_their_own_name(
    tmp_path: Path,
) -> None:
    media = tmp_path / "masks"
    (media / "bucket").mkdir(parents=True)
    (media / "f0.png").write_bytes(_grey())
    (media / "bucket" / "m.png").write_bytes(_grey())
    url = "https://api.labelbox.com/api/v1/projects/p/annotations/f/index/1/mask"
    found, report = _masks(_export(tmp_path, url, "https://example.org/bucket/m.png"), media)
    assert found == [masks.from_array(PIXELS)] * 2
    assert report.counts == {}


def test_a_variable_without_a_key_is_told_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    export = _export(tmp_path, "https://example.org/m.png")
    with pytest.raises(OptionError, match="NO_SUCH_KEY"):
        _masks(export, None, fetch=True, api_key_env="NO_SUCH_KEY")


def test_the_categories_are_known_without_fetching_a_mask(server: Server, tmp_path: Path) -> None:
    export = _export(tmp_path, f"http://{server.host}/open")
    dataset = lc.read(export, "labelbox-export", options={"fetch": True})
    assert [category.name for category in dataset.ontology.categories] == ["road"]
    assert server.asked == []


def test_fetched_masks_become_run_lengths_of_coco(server: Server, tmp_path: Path) -> None:
    export = _export(tmp_path, f"http://{server.host}/open")
    report = convert(
        export, tmp_path / "coco.json", to="coco", reader_options={"fetch": "true"}, allow=["loss"]
    )
    assert report.ledger.written["annotations"] == 1
    (sample,) = lc.read(tmp_path / "coco.json")
    assert isinstance(sample.annotations[0].value, Mask)
    assert np.array_equal(masks.to_array(sample.annotations[0].value), PIXELS // 255)
