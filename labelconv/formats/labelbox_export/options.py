"""Options of the reader of Labelbox exports."""

from __future__ import annotations

from typing import Literal

import msgspec


class LabelboxExportReaderOptions(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Options of the reader of Labelbox exports (`-O key=value`).

    - `project`: the id or the name of the one project to read, where data rows are in several.
    - `label`: which of several labels that a project has for a data row: the one changed last
      (`latest`), `all` of them, the one that agrees best with the others (`consensus`), or the one
      that the others are measured by (`benchmark`).
    - `model_run`: the id or the name of a model run, which is read instead of the projects.
    - `run_part`: of a model run the `predictions`, or the `labels` it was made with.
    - `group`: the group of DICOM series (such as `axial`) that is read as a video; by default the
      only one that has labels.
    - `key`: what becomes the key: the global key, else the external id, else the data-row id
      (`auto`); or always one of them. `id` makes MAL lines with `dataRow.id`.
    - `uri`: whether samples carry the address of their media (`row_data`), by which most targets
      call a picture then; else they call it by its key.
    - `media`: what data rows are about whose annotations do not tell it; `auto` goes by their MIME
      type and address. `tiled` with shapes in pixels is a layer that is no map.
    - `fetch`: whether masks, and frames of v1 videos, that are not in the folder of `--media` are
      fetched from their address, and put into it.
    - `api_key_env`: the name of the environment variable with the API key, which is sent as a
      bearer token to `api_host` and to nobody else.
    - `api_host`: the host, with its port if it has one, that the API key is for.
    - `texts`: a folder with the text of each data row in a file named as its key, with or without
      `.txt`; of a conversation, its data-row JSON, with or without `.json`.
    - `source_offsets`: what offsets into texts count, UTF-16 units or code points.
    - `frame_base`: the number of a video's first frame.
    - `page_base`: the number of a document's first page, in boxes; tokens count it as 1.
    - `dpi`: pixels an inch, for boxes of documents in pixels.
    """

    project: str | None = None
    label: Literal["latest", "all", "consensus", "benchmark"] = "latest"
    model_run: str | None = None
    run_part: Literal["predictions", "labels"] = "predictions"
    group: str | None = None
    key: Literal["auto", "global_key", "external_id", "id"] = "auto"
    uri: bool = False
    media: Literal[
        "auto", "image", "video", "text", "conversation", "document", "tiled", "audio"
    ] = "auto"
    fetch: bool = False
    api_key_env: str | None = None
    api_host: str = "api.labelbox.com"
    texts: str | None = None
    source_offsets: Literal["utf16", "codepoint"] = "utf16"
    frame_base: int = 1
    page_base: int = 0
    dpi: float | None = None
