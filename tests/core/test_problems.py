"""Reports: what is kept, counted, refused, allowed and measured; codes and their pages."""

from __future__ import annotations

import json

import pytest

from labelconv import codes, problems
from labelconv.problems import (
    OUTCOMES,
    Account,
    Ledger,
    Measure,
    Problem,
    Report,
    StopAtFirstError,
    Where,
)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (Where(), ""),
        (Where("f.json"), "f.json"),
        (Where("f.json", 3), "f.json:3"),
        (Where("f.json", 3, 7), "f.json:3:7"),
        (Where("f.json", pointer="/a/0"), "f.json#/a/0"),
        (Where(sample="k"), "[k]"),
        (Where("f", 1, None, "/x", "k", "a"), "f:1#/x [k] (annotation a)"),
    ],
)
def test_a_place_is_spelled_for_people(where: Where, text: str) -> None:
    assert str(where) == text
    problem = Problem("L401", "loss", "gone", where)
    assert str(problem) == (f"{text}: L401 gone" if text else "L401 gone")


def test_a_problem_has_its_code_its_place_and_its_values() -> None:
    report = Report()
    report.add(codes.PARTS_SPLIT, Where(sample="k"), count=3)
    report.add(codes.PARTS_SPLIT, count=2)
    assert [(p.code, p.severity, p.where.sample) for p in report.problems] == [
        ("L411", "note", "k"),
        ("L411", "note", None),
    ]
    assert "3 parts" in report.problems[0].message
    assert report.counts == {"L411": 2}
    assert report.code("L411") is codes.PARTS_SPLIT
    assert (report.errors, report.losses, report.count("note")) == (0, 0, 2)


def test_only_so_many_problems_of_a_code_are_kept_but_all_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(problems, "KEEP_PER_CODE", 2)
    report = Report()
    for _ in range(5):
        report.add(codes.CONFIDENCE_DROPPED)
    report.add(codes.AREA_ZERO, kind="box")
    assert [p.code for p in report.problems] == ["L405", "L405", "M202"]
    assert report.counts == {"L405": 5, "M202": 1}
    assert report.losses == 5


def test_a_strict_report_stops_at_the_first_error_and_only_there() -> None:
    report = Report(strict=True)
    report.add(codes.CONFIDENCE_DROPPED)
    report.add(codes.AREA_ZERO, kind="box")
    with pytest.raises(StopAtFirstError) as caught:
        report.add(codes.BOX_IMPOSSIBLE, Where("f", 1), found="-1 × 2")
    assert caught.value.problem.code == "M201"
    assert caught.value.problem is report.problems[-1]


@pytest.mark.parametrize(
    ("allowed", "left"),
    [
        ((), {"L401": 1, "L405": 2}),
        (("L405",), {"L401": 1}),
        (("confidence-dropped",), {"L401": 1}),
        (("L401", "L405"), {}),
        (("L4",), {}),
        (("loss",), {}),
        (("L5", "L40", "L", "note", "M202", "value"), {"L401": 1, "L405": 2}),
    ],
)
def test_losses_are_refused_unless_they_are_allowed(
    allowed: tuple[str, ...], left: dict[str, int]
) -> None:
    report = Report()
    report.add(codes.CONFIDENCE_DROPPED)
    report.add(codes.CONFIDENCE_DROPPED)
    report.add(codes.VALUE_NOT_HELD, kind="point", target="x")
    report.add(codes.AREA_ZERO, kind="box")
    report.add(codes.BOX_IMPOSSIBLE, found="")
    assert report.refused(allowed) == left


def test_a_rejected_record_is_kept_verbatim_and_counted_in_its_row() -> None:
    report = Report()
    record = b'{"a": "\xff\xc3\xa9"}'
    report.reject(codes.BOX_IMPOSSIBLE, Where("f.json", 2), record, found="-1 × 2")
    report.reject(codes.RECORD_MALFORMED, Where("f"), b"x", "samples", expected="e", found="f")
    assert report.ledger.annotations.rejected == report.ledger.samples.rejected == 1
    assert report.counts == {"M201": 1, "R101": 1}
    first, second = report.take_rejected()
    assert report.take_rejected() == []
    assert first.record == record
    line = json.loads(first.as_line())
    assert first.as_line().endswith(b"}\n")
    assert line["code"] == "M201"
    assert line["where"] == {"path": "f.json", "line": 2}
    assert line["record"] == '{"a": "\\xff\u00e9"}'
    assert second.code == "R101"


def test_the_ledger_balances_when_every_read_has_an_outcome() -> None:
    account = Account(read=5, kept=1, changed=1, lost=1, rejected=1, skipped=1)
    assert account.balanced
    account.move("kept", "lost")
    assert (account.kept, account.lost, account.balanced) == (0, 2, True)
    for outcome in OUTCOMES:
        ledger = Ledger()
        setattr(ledger.relations, outcome, 1)
        assert not ledger.balanced
        ledger.relations.read = 1
        assert ledger.balanced
    assert [name for name, _ in Ledger().rows()] == [
        "samples",
        "annotations",
        "classifications",
        "relations",
    ]


def test_the_worst_iou_is_the_lowest_and_the_worst_drift_the_highest() -> None:
    iou, drift = Measure("iou"), Measure("px")
    for number, value in enumerate((0.5, 0.25, 0.75)):
        iou.add(value, Where(line=number))
        drift.add(value, Where(line=number))
    assert (iou.worst, iou.worst_where, iou.count, iou.total) == (0.25, Where(line=1), 3, 1.5)
    assert (drift.worst, drift.worst_where) == (0.75, Where(line=2))


def test_a_report_is_plain_data() -> None:
    report = Report()
    report.ledger.annotations.read = 2
    report.ledger.annotations.kept = 1
    report.ledger.written["lines"] = 3
    report.add(codes.AREA_ZERO, Where("f", 1), kind="box")
    report.measure(codes.SHAPE_LOWERED, "iou", 0.5, Where(sample="k"))
    report.field("coco:area", 2)
    report.field("coco:area")
    report.evidence.append("coco: seen")
    plain = json.loads(json.dumps(report.as_dict()))
    assert plain["ledger"]["annotations"]["balanced"] is False
    assert plain["ledger"]["balanced"] is False
    assert plain["ledger"]["written"] == {"lines": 3}
    assert plain["fields_left_out"] == {"coco:area": 3}
    assert plain["measures"]["L402"]["worst_where"] == {"sample": "k"}
    assert plain["counts"] == {"M202": 1}
    assert plain["problems"][0]["where"] == {"path": "f", "line": 1}
    assert plain["evidence"] == ["coco: seen"]


@pytest.mark.parametrize("code", codes.CODES.values(), ids=lambda code: code.id)
def test_every_code_is_declared_whole(code: problems.Code) -> None:
    families = {"R1", "M2", "O3", "L4", "S5", "K6"}
    assert code.id[:2] in families
    assert len(code.id) == 4
    assert code.name == code.name.lower()
    assert " " not in code.name
    for text in (code.message, code.why, code.do, code.example):
        assert text.strip()


def test_no_two_codes_share_an_id_or_a_name() -> None:
    declared = [code for code in vars(codes).values() if isinstance(code, problems.Code)]
    assert len({code.id for code in declared}) == len(declared) == len(codes.CODES)
    assert len({code.name for code in declared}) == len(declared)
