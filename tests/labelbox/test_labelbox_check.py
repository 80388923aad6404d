"""The check finds what Labelbox would refuse, with its code, its line and its pointer."""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image

from labelconv.errors import SourceError
from labelconv.formats.labelbox.check import BLOCK, CAP, check
from labelconv.problems import KEEP_PER_CODE, Report, StopAtFirstError

BOX = {"top": 40.5, "left": 12, "height": 80, "width": 130}
RING = [{"x": 1, "y": 1}, {"x": 9.5, "y": 1}, {"x": 9.5, "y": 7}]
A, B, C = (str(UUID(int=n)) for n in (10, 11, 12))

Found = list[tuple[str, int | None, str | None]]


def line(key: str = "gk-1", **payload: Any) -> dict[str, Any]:
    return {"dataRow": {"globalKey": key}, "name": "feature", **payload}


def plain(number: int, key: str = "gk-1") -> dict[str, Any]:
    return {"uuid": str(UUID(int=number)), **line(key, bbox=BOX)}


def run(*lines: object, **options: Any) -> Found:
    """Code, line and pointer of what is found in these lines (bytes are taken as they are)."""
    raw = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
    return run_bytes(b"".join(each + b"\n" for each in raw), **options)


def run_bytes(data: bytes, **options: Any) -> Found:
    report = Report()
    check(io.BytesIO(data), report, **options)
    return [(p.code, p.where.line, p.where.pointer) for p in report.problems]


def messages(data: bytes, **options: Any) -> list[str]:
    report = Report()
    check(io.BytesIO(data), report, **options)
    return [problem.message for problem in report.problems]


def png(mode: str, size: tuple[int, int] = (6, 4), value: Any = 1) -> str:
    stream = io.BytesIO()
    Image.new(mode, size, value).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def relation(source: str, target: str, key: str = "gk-1", **more: Any) -> dict[str, Any]:
    ends = {"source": source, "target": target, "type": "unidirectional"}
    return {"uuid": C, **line(key, relationship=ends), **more}


# ------------------------------------------------------------------------------ what is fine


def test_a_good_file_has_no_problems_and_its_lines_are_counted() -> None:
    data = b"".join(json.dumps(plain(n)).encode() + b"\n" for n in range(4_000))
    report = Report()
    assert len(data) > 2 * BLOCK
    assert check(io.BytesIO(data), report) == 4_000
    assert report.problems == []


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_a_single_line_is_fine_with_and_without_its_end(end: bytes) -> None:
    report = Report()
    assert check(io.BytesIO(json.dumps(plain(1)).encode() + end), report) == 1
    assert report.problems == []


def test_carriage_returns_before_line_feeds_are_accepted() -> None:
    text = b"".join(json.dumps(plain(n)).encode() + b"\r\n" for n in range(3))
    assert run_bytes(text) == []


def test_white_space_around_a_line_is_accepted() -> None:
    assert run(b" " + json.dumps(plain(1)).encode() + b" ", plain(2)) == []


def test_a_line_longer_than_a_block_is_read_whole() -> None:
    assert run({**plain(1), "name": "n" * BLOCK}, plain(2)) == []


def test_a_path_is_opened_and_named_in_the_problems(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_bytes(b"{}\n")
    report = Report()
    assert check(file, report) == 1
    assert {problem.where.path for problem in report.problems} == {str(file)}


def test_a_file_that_cannot_be_opened_raises_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        check(tmp_path / "missing.ndjson", Report())


# ------------------------------------------------------------------------- the file as a whole


def test_an_empty_file_is_an_error_because_the_sdk_refuses_an_empty_import() -> None:
    assert run_bytes(b"") == [("S514", None, None)]


def test_a_byte_order_mark_is_refused_with_a_sentence_and_the_rest_is_checked() -> None:
    data = b"\xef\xbb\xbf" + json.dumps(plain(1)).encode() + b"\n{}\n"
    assert run_bytes(data)[0] == ("S501", 1, None)
    assert "byte order mark" in messages(data)[0]
    assert {number for _, number, _ in run_bytes(data)} == {1, 2}


def test_utf_16_is_one_error() -> None:
    assert run_bytes("{}\n{}\n".encode("utf-16")) == [("S501", 1, None)]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\n", [("S506", 1, None)]),
        (b"%s\n\n%s\n", [("S506", 2, None)]),
        (b"%s\n  \n%s\n", [("S506", 2, None)]),
        (b"%s\n%s\n\n", [("S506", 3, None)]),
        (b"%s\r\n\r\n%s\r\n", [("S506", 2, None)]),
        (b"\n%s%s\n", [("S506", 1, None), ("S501", 2, None)]),
    ],
)
def test_blank_lines_are_found_where_they_are(data: bytes, found: Found) -> None:
    lines = [json.dumps(plain(n)).encode() for n in range(data.count(b"%s"))]
    assert run_bytes(data % tuple(lines)) == found


def test_a_cut_last_line_is_found_at_its_end() -> None:
    whole = json.dumps(plain(1)).encode()
    cut = json.dumps(plain(2)).encode()[:-5]
    assert run_bytes(whole + b"\n" + cut) == [("S501", 2, None)]
    assert messages(whole + b"\n" + cut) == ["valid JSON expected, the line is cut off"]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_that_are_not_finite_are_refused(number: bytes) -> None:
    bad = json.dumps(plain(2)).encode().replace(b"40.5", number)
    assert run(plain(1), bad) == [("S501", 2, None)]
    assert "a finite number expected" in messages(bad)[0]


def test_two_records_on_one_line_and_one_record_on_two_lines_are_refused() -> None:
    one, two = (json.dumps(plain(n)).encode() for n in (1, 2))
    assert run(one + two, plain(3)) == [("S501", 1, None)]
    head, tail = one.split(b" ", 1)
    assert run(head, tail, plain(3)) == [("S501", 1, None), ("S501", 2, None)]


def test_broken_utf_8_is_found_on_its_line() -> None:
    bad = json.dumps(plain(2)).encode().replace(b"feature", b"f\xff")
    assert run(plain(1), bad) == [("S501", 2, None)]


def test_hostile_nesting_is_refused_and_raises_nothing() -> None:
    assert run(plain(1), b"[" * 200_000)[0][:2] == ("S501", 2)
    deep = b'{"name":"a","answer":{"name":"b","classifications":['
    head = json.dumps(plain(2)).encode()[:-1] + b',"classifications":['
    bad = head + deep * 30_000 + b"]}}" * 30_000 + b"]}"
    assert [f[:2] for f in run(plain(1), bad)] == [("S501", 2)]


@pytest.mark.parametrize("levels", range(200, 360, 20))
def test_nesting_near_the_limit_of_the_stack_raises_nothing(levels: int) -> None:
    value: dict[str, Any] = {"name": "a", "answer": "b"}
    text = json.dumps(value)
    for _ in range(levels):
        text = f'{{"name":"a","answer":{{"name":"b","classifications":[{text}]}}}}'
    head = json.dumps(plain(2))[:-1]
    data = f'{head},"classifications":[{text}]}}\n'.encode()
    assert {code for code, _, _ in run_bytes(data)} <= {"S501"}


def test_separators_that_the_sdk_would_replace_are_noted() -> None:
    bad = json.dumps({**plain(2), "name": "a\u2028b"}, ensure_ascii=False).encode()
    report = Report()
    check(io.BytesIO(json.dumps(plain(1)).encode() + b"\n" + bad), report)
    (problem,) = report.problems
    assert (problem.code, problem.severity, problem.where.line) == ("S513", "note", 2)
    assert run({**plain(2), "name": "a\u2028b"}) == []


def test_a_json_list_instead_of_lines_is_refused() -> None:
    assert run(b"[" + json.dumps(plain(1)).encode() + b"]") == [("S501", 1, "")]


# ---------------------------------------------------------------------------- faults of one line

ONE_LINE: dict[str, tuple[dict[str, Any], str, str]] = {
    "no height": (line(bbox={"top": 1, "left": 1, "width": 1}), "S501", "/bbox"),
    "misspelt key": (line(bbox=BOX, confidense=1), "S501", "/confidense"),
    "two payloads": (line(bbox=BOX, answer="a"), "S501", ""),
    "no name": ({"dataRow": {"id": "a"}, "bbox": BOX}, "S501", ""),
    "both row keys": (
        {**line(bbox=BOX), "dataRow": {"id": "a", "globalKey": "b"}},
        "S501",
        "/dataRow",
    ),
    "empty row key": (line("", bbox=BOX), "S501", "/dataRow/globalKey"),
    "no row": ({"name": "a", "bbox": BOX}, "S501", ""),
    "bad uuid": (line(bbox=BOX, uuid="12"), "S501", "/uuid"),
    "uuid with a blank": (line(bbox=BOX, uuid=A[:-1] + " "), "S501", "/uuid"),
    "uuid with dashes moved": (line(bbox=BOX, uuid="0" * 7 + "-" + A[8:]), "S501", "/uuid"),
    "run lengths": (line(mask={"size": [4, 6], "counts": [24]}), "S501", "/mask/counts"),
    "empty track": (line(segments=[]), "S501", "/segments"),
    "empty segment": (line(segments=[{"keyframes": []}]), "S501", "/segments/0/keyframes"),
    "text end before start": (line(location={"start": 9, "end": 8}), "S508", "/location/end"),
    "range end before start": (
        line(answer={"name": "a"}, frames=[{"start": 3, "end": 4}, {"start": 9, "end": 8}]),
        "S508",
        "/frames/1/end",
    ),
    "option range end before start": (
        line(answer=[{"name": "a", "frames": [{"start": 9, "end": 8}]}]),
        "S508",
        "/answer/0/frames/0/end",
    ),
    "keyframes not rising": (
        line(segments=[{"keyframes": [{"frame": 9, "bbox": BOX}, {"frame": 3, "bbox": BOX}]}]),
        "S508",
        "/segments/0/keyframes/1/frame",
    ),
    "keyframe twice": (
        line(segments=[{"keyframes": [{"frame": 9, "bbox": BOX}, {"frame": 9, "bbox": BOX}]}]),
        "S508",
        "/segments/0/keyframes/1/frame",
    ),
    "segments not rising": (
        line(
            segments=[
                {"keyframes": [{"frame": 9, "bbox": BOX}]},
                {"keyframes": [{"frame": 5, "bbox": BOX}]},
            ]
        ),
        "S508",
        "/segments/1/keyframes/0/frame",
    ),
    "keyframe 0": (
        line(segments=[{"keyframes": [{"frame": 0, "bbox": BOX}]}]),
        "S511",
        "/segments/0/keyframes/0/frame",
    ),
    "frame range from 0": (
        line(answer={"name": "a"}, frames=[{"start": 0, "end": 4}]),
        "S511",
        "/frames",
    ),
    "two pictures of a frame": (
        {
            "dataRow": {"id": "a"},
            "masks": {
                "frames": [{"index": 1, "instanceURI": "a"}, {"index": 1, "instanceURI": "b"}],
                "instances": [{"colorRGB": [1, 2, 3], "name": "a"}],
            },
        },
        "S508",
        "/masks/frames/1/index",
    ),
    "two objects of a colour": (
        {
            "dataRow": {"id": "a"},
            "masks": {
                "frames": [{"index": 1, "instanceURI": "a"}],
                "instances": [
                    {"colorRGB": [1, 2, 3], "name": "a"},
                    {"colorRGB": [1, 2, 3], "name": "a"},
                ],
            },
        },
        "S510",
        "/masks/instances/1/colorRGB",
    ),
    "nested range outside": (
        line(
            answer=[
                {
                    "name": "a",
                    "frames": [{"start": 10, "end": 20}],
                    "classifications": [
                        {
                            "name": "b",
                            "answer": [{"name": "c", "frames": [{"start": 15, "end": 25}]}],
                        }
                    ],
                }
            ]
        ),
        "S508",
        "/answer/0/classifications/0/answer/0/frames/0",
    ),
    "ranks with a gap": (
        line(
            messageEvaluationTask={
                "format": "message-ranking",
                "data": {
                    "parentMessageId": "p",
                    "rankedMessages": [
                        {"messageId": "m", "modelConfigName": "n", "order": 1},
                        {"messageId": "o", "modelConfigName": "n", "order": 3},
                    ],
                },
            }
        ),
        "S508",
        "/messageEvaluationTask/data/rankedMessages",
    ),
    "option ticked twice": (line(answer=[{"name": "a"}, {"name": "a"}]), "S509", "/answer/1"),
    "nested option ticked twice": (
        line(
            bbox=BOX,
            classifications=[{"name": "q", "answers": [{"name": "a"}, {"name": "a"}]}],
        ),
        "S509",
        "/classifications/0/answers/1",
    ),
    "negative height": (line(bbox={**BOX, "height": -1}), "S512", "/bbox/height"),
    "mask that is no base64": (line(mask={"png": "!" * 80}), "S510", "/mask/png"),
    "mask that is no PNG": (
        line(mask={"png": base64.b64encode(b"x" * 90).decode()}),
        "S510",
        "/mask/png",
    ),
    "mask in colour": (line(mask={"png": png("RGB", value=(1, 1, 1))}), "S510", "/mask/png"),
    "mask of one bit": (line(mask={"png": png("1")}), "S510", "/mask/png"),
    "mask of 255": (line(mask={"png": png("L", value=255)}), "S510", "/mask/png"),
    "mask cut off": (line(mask={"png": png("L")[:-12]}), "S510", "/mask/png"),
    "mask as data URI": (
        line(mask={"png": "data:image/png;base64," + png("L")}),
        "S510",
        "/mask/png",
    ),
    "grey composite": (
        line(mask={"imBytes": png("L"), "colorRGB": [1, 1, 1]}),
        "S510",
        "/mask/imBytes",
    ),
}


@pytest.mark.parametrize(("bad", "code", "pointer"), ONE_LINE.values(), ids=list(ONE_LINE))
def test_a_fault_of_one_line_is_found_with_code_line_and_pointer(
    bad: dict[str, Any], code: str, pointer: str
) -> None:
    found = run(plain(1), bad, plain(2))
    assert (code, 2, pointer) in found
    assert {number for _, number, _ in found} == {2}


def test_the_line_after_a_refused_one_is_still_checked_and_counted() -> None:
    report = Report()
    lines = [plain(1), {"x": 1}, plain(1)]
    data = b"".join(json.dumps(each).encode() + b"\n" for each in lines)
    assert check(io.BytesIO(data), report) == 3
    assert [(p.code, p.where.line) for p in report.problems][-1] == ("S502", 3)


def test_the_problem_names_the_data_row() -> None:
    report = Report()
    check(io.BytesIO(json.dumps(line("street-1", bbox={})).encode()), report)
    assert {problem.where.sample for problem in report.problems} == {"street-1"}


@pytest.mark.parametrize("row_filter", [0, 1, 2])
def test_masks_of_0_and_1_are_fine_however_their_rows_are_stored(row_filter: int) -> None:
    # With a filter, bytes are differences: 255 is the step from 1 to 0, not a pixel.
    rows = {0: [1, 0, 1, 0], 1: [1, 255, 1, 255], 2: [1, 0, 1, 0]}[row_filter]
    data = bytes([row_filter, *rows]) + bytes([row_filter, *(rows if row_filter < 2 else [0] * 4)])
    chunks = [
        (b"IHDR", b"\0\0\0\x04\0\0\0\x02\x08\0\0\0\0"),
        (b"IDAT", zlib.compress(data)),
        (b"IEND", b""),
    ]
    raw = b"\x89PNG\r\n\x1a\n" + b"".join(
        len(d).to_bytes(4, "big") + k + d + zlib.crc32(k + d).to_bytes(4, "big") for k, d in chunks
    )
    assert run(line(mask={"png": base64.b64encode(raw).decode()})) == []


def test_a_mask_whose_pixels_are_damaged_is_refused() -> None:
    raw = bytearray(base64.b64decode(png("L")))
    raw[45] ^= 0xFF
    assert run(line(mask={"png": base64.b64encode(raw).decode()})) == [("S510", 1, "/mask/png")]


@pytest.mark.parametrize("damage", ["*", "=", "A", "\u00e9"])
@pytest.mark.parametrize("place", [0, 20, 60, -20, -1])
def test_a_mask_whose_base64_is_damaged_anywhere_is_refused(place: int, damage: str) -> None:
    whole = png("L")
    # A multiple of four characters as before, so that the end is looked at.
    text = whole[:place] + damage + "***" + whole[place:]
    assert len(text) % 4 == 0
    assert run(line(mask={"png": text})) == [("S510", 1, "/mask/png")]


def test_a_composite_in_colour_is_fine() -> None:
    assert run(line(mask={"imBytes": png("RGB", value=(1, 1, 1)), "colorRGB": [1, 1, 1]})) == []


# --------------------------------------------------------------------------- between the lines


def test_a_uuid_that_occurs_twice_is_found_and_the_first_line_is_named() -> None:
    lines = [plain(1), plain(2), plain(3), plain(2)]
    assert run(*lines) == [("S502", 4, "/uuid")]
    data = b"".join(json.dumps(each).encode() + b"\n" for each in lines)
    assert "line 2" in messages(data)[0]


@pytest.mark.parametrize(
    "spelling",
    [A.upper(), "{" + A + "}", A.replace("-", ""), "0000-0000-0000-0000-0000-0000-0000-000a"],
)
def test_a_uuid_in_another_spelling_is_the_same_uuid(spelling: str) -> None:
    first = {**line(bbox=BOX), "uuid": A}
    assert run(first, {**first, "uuid": spelling}) == [("S502", 2, "/uuid")]


def test_a_file_joined_with_itself_has_every_uuid_twice() -> None:
    data = b"".join(json.dumps(plain(n)).encode() + b"\n" for n in range(2_000)) * 2
    found = run_bytes(data)
    assert [(code, number) for code, number, _ in found] == [
        ("S502", number) for number in range(2_001, 4_001)
    ]


def test_lines_without_uuid_never_repeat_one() -> None:
    assert run(line(bbox=BOX), line(bbox=BOX), plain(1), line(bbox=BOX)) == []


def test_a_relation_finds_its_ends_before_and_after_it() -> None:
    assert run(relation(A, B), plain(10), plain(11)) == []
    assert run(plain(10), relation("{" + A.upper() + "}", B), plain(11)) == []


@pytest.mark.parametrize(
    ("ends", "pointers"),
    [
        ([], ["/relationship/source", "/relationship/target"]),
        ([plain(10)], ["/relationship/target"]),
        ([plain(10), plain(11, "gk-2")], ["/relationship/target"]),
        ([plain(10), {"uuid": B, **line(answer="a")}], ["/relationship/target"]),
    ],
    ids=["no ends", "no target", "target of another row", "target is an answer"],
)
def test_a_relation_without_its_ends_is_refused(
    ends: list[dict[str, Any]], pointers: list[str]
) -> None:
    assert run(relation(A, B), *ends) == [("S503", 1, pointer) for pointer in pointers]


def test_a_relation_to_a_relation_is_refused() -> None:
    assert ("S503", 2, "/relationship/target") in run(plain(10), relation(A, C))


def test_the_cap_is_reported_once_for_each_feature_and_row() -> None:
    lines = [line(bbox=BOX) for _ in range(CAP)]
    assert run(*lines) == []
    assert run(plain(1, "other"), *lines, line(bbox=BOX), line(bbox=BOX)) == [
        ("S504", CAP + 2, "/name")
    ]


def test_many_lines_of_several_features_on_a_row_are_within_the_cap() -> None:
    lines = [{**line(bbox=BOX), "name": f"f{n % 2}"} for n in range(2 * CAP)]
    assert run(*lines) == []


def test_an_answer_that_is_given_twice_is_refused_and_the_first_line_is_named() -> None:
    lines = [line(answer={"name": "a"}), plain(1), line(answers=[{"name": "b"}])]
    assert run(*lines) == [("S507", 3, "/name")]


def test_answers_for_other_rows_messages_and_frames_are_no_repetition() -> None:
    frames: dict[str, Any] = {"frames": [{"start": 1, "end": 2}]}
    assert (
        run(
            line(answer="a"),
            line("gk-2", answer="a"),
            {"dataRow": {"id": "gk-1"}, "name": "feature", "answer": "a"},
            line(answer="a", messageId="1"),
            line(answer="a", messageId="2"),
            line(answer={"name": "a"}, **frames),
            line(answer={"name": "b"}, **frames),
            line(answer=[{"name": "b", **frames}]),
        )
        == []
    )
    assert run(line(answer="a", messageId="1"), line(answer="b", messageId="1")) == [
        ("S507", 2, "/name")
    ]


# ------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    ("payload", "pointer"),
    [
        ({"bbox": {**BOX, "width": 900}}, "/bbox"),
        ({"bbox": {**BOX, "top": -3}}, "/bbox"),
        ({"polygon": [*RING, {"x": 641, "y": 3}]}, "/polygon"),
        ({"line": [*RING, {"x": 3, "y": 481}]}, "/line"),
        ({"point": {"x": -1, "y": 2}}, "/point"),
        (
            {"segments": [{"keyframes": [{"frame": 1, "point": {"x": -1, "y": 2}}]}]},
            "/segments/0/keyframes/0/point",
        ),
    ],
)
def test_geometry_outside_the_media_is_found_when_its_size_is_known(
    payload: dict[str, Any], pointer: str
) -> None:
    sizes = {"gk-1": (640.0, 480.0)}
    assert run(plain(1), line(**payload), sizes=sizes) == [("S505", 2, pointer)]
    assert run(plain(1), line(**payload)) == []
    assert run(plain(1), line("gk-2", **payload), sizes=sizes) == []


def test_geometry_that_touches_the_border_is_inside() -> None:
    whole = {"top": 0, "left": 0, "height": 480, "width": 640}
    assert run(line(bbox=whole), sizes={"gk-1": (640.0, 480.0)}) == []


def test_pages_of_documents_are_not_measured_in_pixels() -> None:
    page = line(bbox={**BOX, "top": 9_000}, page=1, unit="POINTS")
    assert run(page, sizes={"gk-1": (640.0, 480.0)}) == []


def test_a_mask_of_another_size_than_the_media_is_found() -> None:
    masked = line(mask={"png": png("L", (6, 4))})
    assert run(masked, sizes={"gk-1": (6, 4)}) == []
    assert run(masked, sizes={"gk-1": (4, 6)}) == [("S510", 1, "/mask/png")]


# ------------------------------------------------------------------------------------ reports


def test_problems_come_in_the_order_of_the_lines() -> None:
    found = run(relation(A, B), plain(1), plain(1), {"x": 1})
    assert [number for _, number, _ in found] == sorted(number or 0 for _, number, _ in found)
    assert len({number for _, number, _ in found}) == 3


def test_a_strict_report_stops_at_the_first_error() -> None:
    data = b"{}\n" * 5
    report = Report(strict=True)
    with pytest.raises(StopAtFirstError):
        check(io.BytesIO(data), report)
    assert len(report.problems) == 1


def test_a_file_of_nothing_but_faults_is_counted_to_the_end() -> None:
    report = Report()
    lines = KEEP_PER_CODE + 500
    assert check(io.BytesIO(b"[]\n" * lines), report) == lines
    assert report.counts == {"S501": lines}
