"""`labelconv datarows`: where each medium is, its key and its kind."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import labelconv as lc
from labelconv import codes
from labelconv.cli import cli
from labelconv.errors import OptionError, SourceError, TargetError
from labelconv.labelbox.datarows import (
    Places,
    check_template,
    data_rows,
    needed_rows,
    write_data_rows,
)
from labelconv.labelbox.datarows_tables import read_attachments, read_table
from labelconv.model import (
    Audio,
    Conversation,
    Document,
    Image,
    Message,
    Sample,
    Samples,
    Text,
    TiledImage,
    Video,
)
from labelconv.problems import Report

TALK = Conversation((Message("1", "hi", "Ann"), Message("2", "ho", "Bob"), Message("3", "…")))
PREFIX = Places(media="https://b.example/data/")


def rows(*samples: Sample, places: Places = PREFIX) -> tuple[list[dict[str, Any]], Report]:
    report = Report()
    return [row for _, row in data_rows(samples, places, report)], report


@pytest.mark.parametrize(
    ("media", "kind"),
    [(Image(), "IMAGE"), (Video(), "VIDEO"), (Text(), "TEXT"), (Audio(), "AUDIO")],
)
def test_a_medium_is_named_by_its_url_key_and_kind(media: Any, kind: str) -> None:
    found, _ = rows(Sample("k", media, uri="a/n ö.x"))
    url = "https://b.example/data/a/n%20%C3%B6.x"
    assert found == [{"row_data": url, "global_key": "k", "media_type": kind}]


@pytest.mark.parametrize(
    ("template", "uri", "url"),
    [
        ("https://e.org/{key}?v=1", None, "https://e.org/k/1.jpg?v=1"),
        ("https://e.org/{stem}.png", "a/b.c.jpg", "https://e.org/b.c.png"),
        ("gs://b/{name}", "a/b.jpg", "gs://b/b.jpg"),
        ("https://e.org", "./a/b.jpg", "https://e.org/a/b.jpg"),
        ("https://e.org", "https://old.org/x/b.jpg", "https://e.org/x/b.jpg"),
        (None, "https://old.org/b.jpg", "https://old.org/b.jpg"),
    ],
)
def test_urls_come_from_a_start_from_a_template_or_from_the_source(
    template: str | None, uri: str | None, url: str
) -> None:
    found, _ = rows(Sample("k/1.jpg", Image(), uri=uri), places=Places(media=template))
    assert found[0]["row_data"] == url


def test_documents_have_the_layer_of_their_text_beside_them() -> None:
    sample = Sample("k", Document(), uri="a.pdf")
    found, _ = rows(sample)
    assert found[0]["row_data"] == {"pdf_url": "https://b.example/data/a.pdf"}
    layered = Places(media="https://b", text_layer="https://b/{stem}.json")
    found, _ = rows(sample, places=layered)
    assert found[0]["row_data"] == {
        "pdf_url": "https://b/a.pdf",
        "text_layer_url": "https://b/a.json",
    }


def test_texts_and_conversations_stand_in_the_row_where_no_address_is_given() -> None:
    samples = (Sample("t", Text("no URL")), Sample("c", TALK))
    found, _ = rows(*samples, places=Places())
    assert found[0]["row_data"] == "no URL"
    talk = found[1]["row_data"]
    assert talk["type"] == "application/vnd.labelbox.conversational"
    assert [(m["messageId"], m["content"], m["align"]) for m in talk["messages"]] == [
        ("1", "hi", "left"),
        ("2", "ho", "right"),
        ("3", "…", "left"),
    ]
    found, _ = rows(*samples)
    assert [row["row_data"] for row in found] == [f"https://b.example/data/{k}" for k in "tc"]
    _, report = rows(Sample("t", Text("x" * 64_001)), places=Places())
    assert report.counts == {codes.MEDIA_MISSING.id: 1}


def test_a_map_is_a_layer_of_tiles_with_bounds_as_longitude_and_latitude() -> None:
    layer = Places(media="https://t.example/{key}/{z}/{x}/{y}.png", zoom=(3, 21))
    found, _ = rows(Sample("k", TiledImage("EPSG:4326", (-99, 19, -98, 20))), places=layer)
    assert found[0]["media_type"] == "TMS_GEO"
    data = found[0]["row_data"]
    assert data["tileLayerUrl"] == "https://t.example/k/{z}/{x}/{y}.png"
    assert (data["bounds"], data["version"]) == ([[-99, 19], [-98, 20]], 2)
    assert (data["minZoom"], data["maxZoom"]) == (3, 21)


@pytest.mark.parametrize(
    ("sample", "places", "code"),
    [
        (Sample("k", Image()), Places(), codes.MEDIA_MISSING),
        (Sample("k", TiledImage("EPSG:4326", (0, 0, 1, 1))), Places(), codes.MEDIA_MISSING),
        (Sample("k", TiledImage()), Places(media="https://t/{z}/{x}/{y}"), codes.RECORD_MALFORMED),
        (
            Sample("k", TiledImage("EPSG:4326", (0, 0, 1, 1))),
            Places(media="https://t/x.png"),
            codes.RECORD_MALFORMED,
        ),
        (Sample("k", Image(), uri="s3://b/k.jpg"), Places(), codes.RECORD_MALFORMED),
        (
            Sample("k", Conversation(tuple(Message(str(n), "hi") for n in range(251)))),
            Places(),
            codes.RECORD_MALFORMED,
        ),
        (
            Sample("k", Conversation((Message("1", "x" * 10_001),))),
            Places(),
            codes.RECORD_MALFORMED,
        ),
    ],
)
def test_a_sample_whose_medium_cannot_be_named_is_rejected(
    sample: Sample, places: Places, code: Any
) -> None:
    found, report = rows(sample, places=places)
    assert found == []
    assert report.counts == {code.id: 1}
    assert report.ledger.samples.rejected == 1


def test_a_layer_that_is_no_map_is_told_from_one() -> None:
    layer = Places(media="https://t.example/{z}/{x}/{y}.png")
    found, _ = rows(Sample("k", TiledImage("pixel", (0, 0, 512, 256))), places=layer)
    assert (found[0]["media_type"], found[0]["row_data"]["epsg"]) == ("TMS_SIMPLE", "SIMPLEPIXEL")


class Client:
    """As much of the SDK's client as its check of data rows asks for."""

    def execute(self, query: str) -> dict[str, Any]:
        field = {"id": "s" * 25, "name": "city", "kind": "CustomMetadataString", "reserved": False}
        return {"customMetadataOntology": [field]}

    def get_data_row_metadata_ontology(self) -> Any:
        from labelbox.schema.data_row_metadata import DataRowMetadataOntology

        return DataRowMetadataOntology(self)


def test_the_sdks_own_check_takes_the_rows_of_every_kind_of_media(tmp_path: Path) -> None:
    from labelbox.schema.internal.descriptor_file_creator import DescriptorFileCreator
    from labelbox.schema.media_type import MediaType

    samples = {
        "image": Sample("image", Image(), uri="a.jpg"),
        "video": Sample("video", Video(), uri="a.mp4"),
        "text": Sample("text", Text("so"), uri="a.txt"),
        "page": Sample("page", Text(), uri="a.html"),
        "pdf": Sample("pdf", Document(), uri="a.pdf"),
        "map": Sample("map", TiledImage("EPSG:4326", (-99, 19, -98, 20))),
        "plan": Sample("plan", TiledImage("pixel", (0, 0, 512, 256))),
        "talk": Sample("talk", TALK),
        "sound": Sample("sound", Audio(900), uri="a.mp3"),
    }
    (tmp_path / "m.csv").write_text("".join(["key,city\n", *(f"{k},Ulm\n" for k in samples)]))
    attached = [f"{key},IMAGE,https://x/1,one\n" for key in samples]
    (tmp_path / "a.csv").write_text("".join(["key,type,value,name\n", *attached]))
    places = {
        "map": Places(media="https://t/{z}/{x}/{y}.png"),
        "plan": Places(media="https://t/{z}/{x}/{y}.png"),
        "talk": Places(),
        "pdf": Places(media="https://b/", text_layer="https://b/{stem}.json"),
    }
    found = []
    for key, sample in samples.items():
        found += [
            row
            for _, row in data_rows(
                [sample],
                places.get(key, PREFIX),
                Report(),
                metadata=read_table(tmp_path / "m.csv"),
                attachments=read_attachments(tmp_path / "a.csv"),
            )
        ]
    taken = DescriptorFileCreator(Client())._prepare_items_for_upload(json.loads(json.dumps(found)))
    assert sorted(row["global_key"] for row in taken) == sorted(samples)
    assert all(row["metadata_fields"] == [{"schemaId": "s" * 25, "value": "Ulm"}] for row in taken)
    # The names of kinds are those of the SDK.
    assert {MediaType(row["media_type"]).name for row in found} == {
        *("Image", "Video", "Text", "Html", "Document", "Geospatial_Tile", "Simple_Tile"),
        *("Conversational", "Audio"),
    }


def test_pieces_of_a_sample_are_one_row() -> None:
    found, _ = rows(Sample("k", Image()), Sample("l", Image()), Sample("k", Image()))
    assert [row["global_key"] for row in found] == ["k", "l"]


@pytest.mark.parametrize("template", ["pictures/", "https://e.org/{nam}", "{stem}", "s3://b/"])
def test_a_template_that_is_no_url_or_has_unknown_fields_is_refused(template: str) -> None:
    with pytest.raises(OptionError):
        check_template(template, "--media")


@pytest.mark.parametrize(
    ("media", "count"),
    [("https://e.org/{stem}.png", 2), ("https://e.org/{path}", 0), ("https://e.org", 0)],
)
def test_an_address_that_a_template_makes_for_several_samples_is_told(
    media: str, count: int
) -> None:
    pictures = [Sample(f"k{n}", Image(), uri=f"{folder}/a.jpg") for n, folder in enumerate("xyz")]
    found, report = rows(*pictures, places=Places(media=media))
    assert [row["global_key"] for row in found] == ["k0", "k1", "k2"]
    told = [(problem.code, problem.message) for problem in report.problems]
    if count == 0:
        assert told == []
    else:
        ((code, message),) = told
        assert code == codes.ADDRESS_SHARED.id
        assert "2 samples" in message
        assert "'k1': https://e.org/a.png" in message


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("https://e.org/a.html", "HTML"),
        ("https://e.org/a.HTM?token=1", "HTML"),
        ("https://e.org/a.html.txt", "TEXT"),
        ("https://e.org/a.txt?from=b.html", "TEXT"),
    ],
)
def test_pages_are_told_from_texts_by_their_address(uri: str, kind: str) -> None:
    found, _ = rows(Sample("k", Text(), uri=uri), places=Places())
    assert (found[0]["row_data"], found[0]["media_type"]) == (uri, kind)
    # A text that only speaks of a page stands in the row itself.
    found, _ = rows(Sample("k", Text("see https://e.org/a.html"), uri="a.txt"), places=Places())
    assert found[0]["media_type"] == "TEXT"


def test_layers_of_one_server_and_addresses_of_the_source_may_be_shared() -> None:
    layer = TiledImage("EPSG:4326", (-99, 19, -98, 20))
    tiles = Places(media="https://t.example/{z}/{x}/{y}.png")
    _, report = rows(Sample("k", layer), Sample("l", layer), places=tiles)
    assert report.counts == {}
    same = [Sample(key, Image(), uri="https://e.org/a.jpg") for key in "kl"]
    _, report = rows(*same, places=Places())
    assert report.counts == {}


def test_metadata_and_attachments_come_from_tables(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("key,city,day\nk,Łódź,\nl,Ulm,3\n")
    (tmp_path / "a.csv").write_text("key,type,value,name\nk,IMAGE,https://x/1,one\nk,HTML,h,\n")
    report = Report()
    found = [
        row
        for _, row in data_rows(
            [Sample("k", Image()), Sample("m", Image())],
            PREFIX,
            report,
            metadata=read_table(tmp_path / "m.csv"),
            attachments=read_attachments(tmp_path / "a.csv"),
        )
    ]
    assert found[0]["metadata_fields"] == [{"name": "city", "value": "Łódź"}]
    assert found[0]["attachments"] == [
        {"type": "IMAGE", "value": "https://x/1", "name": "one"},
        {"type": "HTML", "value": "h"},
    ]
    assert (found[1]["metadata_fields"], found[1]["attachments"]) == ([], [])
    # `l` is no sample; a table without such keys is not spoken of.
    assert [(each.code, each.where.path) for each in report.problems] == [
        (codes.KEY_UNUSED.id, str(tmp_path / "m.csv"))
    ]


@pytest.mark.parametrize(
    "text",
    [
        "name\nk\n",
        "key,type\nk,x\n",
        "key,type,value\nk,x\n",
        "key,type,value\nk,PICTURE,https://x/1\n",
        "key,type,value\nk,IMAGE,\n",
        "key,type,value,size\nk,IMAGE,https://x/1,3\n",
    ],
)
def test_a_table_of_attachments_that_labelbox_would_not_take_is_refused(
    text: str, tmp_path: Path
) -> None:
    (tmp_path / "b.csv").write_text(text)
    with pytest.raises(SourceError, match=r"b\.csv"):
        read_attachments(tmp_path / "b.csv")


def test_lists_are_cut_at_the_limit_and_the_keys_can_be_given_back(tmp_path: Path) -> None:
    samples = [Sample(f"k{n}", Image(), uri=f"a/{n}.jpg") for n in range(5)]
    found = data_rows(samples, PREFIX, Report())
    count = write_data_rows(found, tmp_path / "rows.json", keys=tmp_path / "keys.csv", most=2)
    assert count == 5
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["keys.csv", "rows.2.json", "rows.3.json", "rows.json"]
    lists = [json.loads((tmp_path / name).read_bytes()) for name in names[1:]]
    assert [len(each) for each in lists] == [2, 1, 2]
    table = list(csv.reader((tmp_path / "keys.csv").read_text().splitlines()))
    assert table[:2] == [["name", "key"], ["a/0.jpg", "k0"]]


def test_nothing_appears_when_the_rows_end_in_an_error(tmp_path: Path) -> None:
    def broken() -> Any:
        yield from data_rows([Sample("k", Image()), Sample("l", Image())], PREFIX, Report())
        raise SourceError("cut off")

    with pytest.raises(SourceError):
        write_data_rows(broken(), tmp_path / "rows.json", keys=tmp_path / "k.csv", most=1)
    assert list(tmp_path.iterdir()) == []


def test_the_command_makes_rows_whose_keys_are_those_of_the_lines(tmp_path: Path) -> None:
    source = tmp_path / "d.native.ndjson"
    lc.write(Samples([Sample("a/1.jpg", Image(9, 9)), Sample("b/1.jpg", Image(9, 9))]), source)
    out, keys = tmp_path / "rows.json", tmp_path / "keys.csv"
    arguments = ["datarows", str(source), "--media", "https://b/", "--out", str(out)]
    run = CliRunner().invoke(cli, [*arguments, "--keys-out", str(keys)], standalone_mode=False)
    assert run.return_value == 0, run.output
    assert [row["global_key"] for row in json.loads(out.read_bytes())] == ["a/1.jpg", "b/1.jpg"]
    report = lc.convert(source, tmp_path / "again.native.ndjson", keys=keys)
    assert report.errors == 0
    clash = CliRunner().invoke(cli, [*arguments, "--key", "{name}"], standalone_mode=False)
    assert clash.return_value == 1
    assert "K601" in clash.stderr


def exported(path: Path, **said: Any) -> Path:
    """An export of one picture, `a.jpg`, of which it says more."""
    about = {"id": "row", "global_key": "a.jpg", "row_data": "https://example.org/a.jpg"}
    size = {"width": 8, "height": 6, "mime_type": "image/jpeg"}
    row = {"data_row": about, "media_attributes": size, "projects": {}, **said}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    return path


def test_metadata_and_attachments_of_an_export_are_those_of_the_new_rows(tmp_path: Path) -> None:
    said = {
        "metadata_fields": [
            {"schema_id": "s1", "schema_name": "city", "schema_kind": "x", "value": "Łódź"},
            {"schema_id": "s2", "schema_name": "split", "value": [{"schema_name": "train"}]},
            {"schema_id": "s3", "value": 2.5},
            {"schema_id": "s4", "schema_name": "vector", "value": [0.5, 1]},
            {"schema_id": "s5", "schema_name": "nothing", "value": None},
            {"value": "of no field"},
            "no field",
        ],
        "attachments": [
            {"id": "a1", "type": "IMAGE", "value": "https://x/1", "name": "one"},
            {"type": "PICTURE", "value": "https://x/2"},
            {"type": "HTML", "value": ""},
        ],
        "embeddings": [{"id": "e"}],
    }
    (tmp_path / "m.csv").write_text("key,city,who\na.jpg,Gdynia,Ann\n", encoding="utf-8")
    export = exported(tmp_path / "export.ndjson", **said)
    options = {"uri": True}
    report = Report()
    found = needed_rows(export, "labelbox-export", Places(), report, options=options)
    assert [row for _, row in found] == [
        {
            "row_data": "https://example.org/a.jpg",
            "global_key": "a.jpg",
            "media_type": "IMAGE",
            "metadata_fields": [
                {"name": "city", "value": "Łódź"},
                {"name": "split", "value": "train"},
                {"schema_id": "s3", "value": 2.5},
                {"name": "vector", "value": [0.5, 1]},
            ],
            "attachments": [{"type": "IMAGE", "value": "https://x/1", "name": "one"}],
        }
    ]
    counts = {"metadata_fields": 3, "attachments": 2, "embeddings": 1, "data_row_id": 1}
    assert report.fields == {f"labelbox-export:{name}": n for name, n in counts.items()}
    # A table says more, and counts where both name a field.
    tabled = read_table(tmp_path / "m.csv")
    again = needed_rows(export, None, Places(), Report(), options=options, metadata=tabled)
    values = {
        each.get("name"): each["value"] for _, row in again for each in row["metadata_fields"]
    }
    assert (values["city"], values["who"], values["split"]) == ("Gdynia", "Ann", "train")
    assert len(values) == 5


@pytest.mark.parametrize("said", [None, [], {}, "x", 7, [None], [[]], [{"type": 1, "value": {}}]])
def test_metadata_and_attachments_of_any_other_form_are_counted_and_not_carried(
    said: Any, tmp_path: Path
) -> None:
    more = {"metadata_fields": said, "attachments": said}
    export = exported(tmp_path / "export.ndjson", **more)
    report = Report()
    [(_, row)] = needed_rows(export, "labelbox-export", PREFIX, report)
    assert {*row} == {"row_data", "global_key", "media_type"}
    counts = [report.fields.get(f"labelbox-export:{name}", 0) for name in more]
    assert counts == ([1, 1] if said else [0, 0])


def test_keys_and_rows_do_not_take_each_others_place_nor_that_of_a_pipe(tmp_path: Path) -> None:
    pipe, rows_at = tmp_path / "pipe", tmp_path / "rows.json"
    os.mkfifo(pipe)
    for target, keys in (
        (rows_at, tmp_path / "x" / ".." / "rows.json"),
        (rows_at, pipe),
        (pipe, None),
    ):
        (tmp_path / "x").mkdir(exist_ok=True)
        found = data_rows([Sample("k", Image())], PREFIX, Report())
        with pytest.raises(TargetError):
            write_data_rows(found, target, keys=keys)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe", "x"]
        assert pipe.is_fifo()
