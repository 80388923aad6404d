"""Whole runs by the library: what is published, refused, rejected, counted and raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import labelconv as lc
from labelconv import codes
from labelconv.accounting import accounted
from labelconv.beside import rejected_path, write_report
from labelconv.convert import quiet_collector
from labelconv.errors import (
    LabelconvError,
    LossError,
    OptionError,
    SourceError,
    StrictError,
    TargetError,
    UnknownFormatError,
)
from labelconv.model import (
    Annotation,
    Box,
    Classification,
    Dataset,
    FreeText,
    Image,
    Polygon,
    Polyline,
    Relation,
    Sample,
    Samples,
)
from labelconv.problems import Account, Report

BOX, LINE = Box(0, 0, 2, 2), Polyline((0, 0, 1, 1))
TRIANGLE = Polygon((((0.0, 0.0, 4.0, 0.0, 0.0, 4.0),),))


def sample(key: str, *values: Any, **rest: Any) -> Sample:
    annotations = tuple(Annotation(str(n), "cat", value) for n, value in enumerate(values))
    return Sample(key, Image(8, 8), annotations, **rest)


def native(folder: Path, *samples: Sample, bad: int = 0) -> Path:
    path = folder / "in.native.ndjson"
    lines = [b'{"labelconv":1}', *map(msgspec.json.encode, samples)]
    lines[2:2] = [b'{"key": %d}' % number for number in range(bad)]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ------------------------------------------------------------------------------ convert


def test_a_run_publishes_the_target_and_accounts_for_all(tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX, BOX), sample("b"))
    report = lc.convert(source, tmp_path / "out.ndjson", to="labelbox")
    assert names_in(tmp_path) == ["in.native.ndjson", "out.ndjson"]
    assert report.ledger.annotations == Account(read=2, kept=2)
    assert report.ledger.samples == Account(read=2, kept=1, changed=1)
    assert report.evidence[0].startswith("native: ")


def test_a_loss_that_is_not_allowed_publishes_nothing_and_names_its_flag(tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", LINE, BOX))
    with pytest.raises(LossError, match="--allow L401") as caught:
        lc.convert(source, tmp_path / "out.json", to="coco")
    assert caught.value.report.counts["L401"] == 1
    assert caught.value.report.ledger.annotations.lost == 1
    assert names_in(tmp_path) == ["in.native.ndjson"]


def test_all_losses_are_shown_before_the_run_is_refused(tmp_path: Path) -> None:
    related = sample("b", BOX, BOX, relations=(Relation("r", "near", "0", "1"),))
    source = native(tmp_path, sample("a", LINE), related, sample("c", LINE))
    with pytest.raises(LossError, match=r"(?s)L401 value-not-held: 2×.*L407") as caught:
        lc.convert(source, tmp_path / "out.json", to="coco", allow=["L402"])
    assert caught.value.report.refused(()) == {"L401": 2, "L407": 1}


@pytest.mark.parametrize("allow", ["L401", "value-not-held", "L4", "loss"])
def test_a_loss_that_is_allowed_is_published(allow: str, tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", LINE, BOX))
    report = lc.convert(source, tmp_path / "out.json", to="coco", allow=[allow])
    assert (tmp_path / "out.json").exists()
    assert report.ledger.annotations == Account(read=2, kept=1, lost=1)


def test_what_can_never_be_a_loss_cannot_be_allowed(tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX))
    for wrong in ("M201", "L411", "L999"):
        with pytest.raises(LabelconvError):
            lc.convert(source, tmp_path / "out.json", to="coco", allow=[wrong])
    assert names_in(tmp_path) == ["in.native.ndjson"]


def test_bad_records_are_written_beside_the_target_and_gone_after_a_good_run(
    tmp_path: Path,
) -> None:
    source = native(tmp_path, sample("a", BOX), sample("b", BOX), bad=2)
    report = lc.convert(source, tmp_path / "out.ndjson", to="labelbox")
    rejected = (tmp_path / "out.ndjson.rejected.ndjson").read_bytes().splitlines()
    assert [json.loads(line)["record"] for line in rejected] == ['{"key": 0}', '{"key": 1}']
    assert [json.loads(line)["where"]["line"] for line in rejected] == [3, 4]
    assert report.errors == 2
    assert report.ledger.samples == Account(read=4, kept=2, rejected=2)
    source = native(tmp_path, sample("a", BOX))
    lc.convert(source, tmp_path / "out.ndjson", to="labelbox")
    assert names_in(tmp_path) == ["in.native.ndjson", "out.ndjson"]


def test_a_strict_run_stops_at_the_first_error_and_publishes_nothing(tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX), sample("b", BOX), bad=2)
    for report in (None, Report()):
        with pytest.raises(StrictError, match="R101") as caught:
            lc.convert(source, tmp_path / "out.ndjson", to="labelbox", strict=True, report=report)
        assert caught.value.report.errors == 1
        assert names_in(tmp_path) == ["in.native.ndjson"]


def test_a_strict_run_without_errors_publishes(tmp_path: Path) -> None:
    lc.convert(
        native(tmp_path, sample("a", BOX)), tmp_path / "o.ndjson", to="labelbox", strict=True
    )
    assert "o.ndjson" in names_in(tmp_path)


def test_a_dry_run_reports_all_and_writes_nothing(tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", LINE), bad=1)
    report = lc.convert(source, tmp_path / "out.ndjson", to="labelbox", dry_run=True)
    assert report.errors == 1
    assert report.ledger.annotations == Account(read=1, kept=1)
    assert names_in(tmp_path) == ["in.native.ndjson"]
    with pytest.raises(LossError):
        lc.convert(source, tmp_path / "out.json", to="coco", dry_run=True)


def test_min_iou_makes_low_cover_a_loss(tmp_path: Path) -> None:
    thin = Polygon(
        (((0.0, 0.0, 8.0, 0.0, 8.0, 8.0, 0.0, 8.0), (1.2, 1.2, 1.9, 1.2, 1.9, 7.0, 1.2, 7.0)),)
    )
    source = native(tmp_path, sample("a", thin))
    report = lc.convert(source, tmp_path / "o.ndjson", to="labelbox")
    worst = report.measures["L412"].worst
    assert worst is not None
    assert 0.8 < worst < 1
    with pytest.raises(LossError, match="L416"):
        lc.convert(source, tmp_path / "p.ndjson", to="labelbox", min_iou=1.0)
    lc.convert(source, tmp_path / "p.ndjson", to="labelbox", min_iou=1.0, allow=["L416"])


@pytest.mark.parametrize("limit", [-0.1, 1.1, float("nan")])
def test_min_iou_is_a_share(limit: float, tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX))
    with pytest.raises(OptionError, match="IoU"):
        lc.convert(source, tmp_path / "o.ndjson", to="labelbox", min_iou=limit)


def test_fields_that_are_left_out_are_counted_by_name(tmp_path: Path) -> None:
    extra = {"elsewhere:colour": 1}
    source = native(tmp_path, sample("a", BOX, extra=extra), sample("b", BOX, extra=extra))
    report = lc.convert(source, tmp_path / "o.ndjson", to="labelbox")
    told = [p.message for p in report.problems if p.code == "L415"]
    assert len(told) == 2
    assert "elsewhere:colour" in told[0]
    assert "size (of samples)" in told[1]
    assert all("2 times" in sentence for sentence in told)


def test_the_source_is_never_overwritten(tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX))
    before = source.read_bytes()
    with pytest.raises(TargetError, match="is the source"):
        lc.convert(source, source, to="native")
    with pytest.raises(TargetError, match="is the source"):
        lc.write(lc.read(source), source, "native")
    assert source.read_bytes() == before


def test_wrong_names_and_options_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX))
    with pytest.raises(UnknownFormatError):
        lc.convert(source, tmp_path / "o", to="cocoo")
    with pytest.raises(UnknownFormatError):
        lc.convert(source, tmp_path / "o.unknown")
    with pytest.raises(OptionError):
        lc.convert(source, tmp_path / "o", to="native", writer_options={"x": 1})
    with pytest.raises(OptionError):
        lc.convert(source, tmp_path / "o", to="native", reader_options={"x": 1})
    with pytest.raises(SourceError):
        lc.convert(tmp_path / "none", tmp_path / "o", to="native")
    assert names_in(tmp_path) == ["in.native.ndjson"]


def test_formats_that_go_one_way_are_refused_the_other_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from labelconv import registry

    mute = msgspec.structs.replace(registry.get("native"), read=None, write=None)
    monkeypatch.setattr(registry, "get", lambda name: mute)
    with pytest.raises(OptionError, match="can only be written"):
        lc.read(native(tmp_path), "native")
    with pytest.raises(OptionError, match="can only be read"):
        lc.write(Samples([]), tmp_path / "o", "native")


def test_passes_see_the_samples_on_their_way(tmp_path: Path) -> None:
    def renamed(dataset: Dataset, report: Report) -> Dataset:
        def start() -> Iterator[Sample]:
            for each in dataset:
                yield msgspec.structs.replace(each, key=f"new-{each.key}")

        return Samples(start, lambda: dataset.ontology, dataset.info)

    source = native(tmp_path, sample("a", BOX))
    lc.convert(source, tmp_path / "o.native.ndjson", passes=[renamed])
    assert [each.key for each in lc.read(tmp_path / "o.native.ndjson")] == ["new-a"]


def test_a_writer_that_does_not_account_is_found_out(tmp_path: Path) -> None:
    def forgetful(dataset: Dataset, report: Report) -> Dataset:
        return Samples(lambda: (each for each in dataset if each.key != "a"))

    source = native(tmp_path, sample("a", BOX), sample("b", BOX))
    with pytest.raises(LabelconvError, match="does not balance.*annotations"):
        lc.convert(source, tmp_path / "o.native.ndjson", passes=[forgetful])
    assert names_in(tmp_path) == ["in.native.ndjson"]


def test_the_collector_is_as_before_after_a_run(tmp_path: Path) -> None:
    import gc

    before = gc.get_threshold()
    with quiet_collector():
        assert gc.get_threshold() != before
    assert gc.get_threshold() == before


def test_the_report_is_written_as_json_and_never_over_another_file(tmp_path: Path) -> None:
    report = Report()
    write_report(report, tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_bytes())["ledger"]["balanced"] is True
    (tmp_path / "out").write_bytes(b"x")
    (tmp_path / "link").symlink_to(tmp_path / "out")
    for wrong in ("out", "link", "none/report.json", "."):
        with pytest.raises(TargetError):
            write_report(report, tmp_path / wrong, beside=[tmp_path / "out"])
    assert (tmp_path / "out").read_bytes() == b"x"


def test_rejected_records_lie_beside_files_and_folders() -> None:
    assert rejected_path("a/out.ndjson") == Path("a/out.ndjson.rejected.ndjson")
    assert rejected_path("a/out/") == Path("a/out.rejected.ndjson")


# ------------------------------------------------------------------------------ write


def ledger(report: Report) -> dict[str, Account]:
    return {name: account for name, account in report.ledger.rows() if account.read}


RICH = sample(
    "a",
    BOX,
    BOX,
    classifications=(Classification("q", FreeText("t")),),
    relations=(Relation("r", "near", "0", "1"),),
)


def test_a_dataset_of_the_callers_is_read_by_being_written(tmp_path: Path) -> None:
    report = lc.write(Samples([RICH, sample("b")]), tmp_path / "o.native.ndjson")
    assert ledger(report) == {
        "samples": Account(read=2, kept=2),
        "annotations": Account(read=2, kept=2),
        "classifications": Account(read=1, kept=1),
        "relations": Account(read=1, kept=1),
    }
    assert ledger(lc.write(Samples([]), tmp_path / "e.native.ndjson")) == {}


def test_a_dataset_straight_from_a_source_is_accounted_from_the_source_on(tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX), sample("b", BOX), bad=1)
    report = lc.write(lc.read(source), tmp_path / "o.ndjson", "labelbox")
    assert ledger(report) == {
        "samples": Account(read=3, kept=2, rejected=1),
        "annotations": Account(read=2, kept=2),
    }
    assert (tmp_path / "o.ndjson.rejected.ndjson").exists()


@pytest.mark.parametrize("same", [True, False])
def test_a_dataset_that_was_looked_at_before_is_counted_once(same: bool, tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX), sample("b", BOX))
    dataset = lc.read(source)
    assert len(list(dataset)) == 2
    assert dataset.report.ledger.samples.read == 2
    report = lc.write(
        dataset, tmp_path / "o.native.ndjson", report=dataset.report if same else None
    )
    assert ledger(report)["annotations"] == Account(read=2, kept=2)


def test_two_files_written_with_one_report_are_accounted_together(tmp_path: Path) -> None:
    report = Report()
    lc.write(Samples([sample("a", BOX)]), tmp_path / "o.native.ndjson", report=report)
    lc.write(Samples([sample("a", BOX, BOX)]), tmp_path / "p.native.ndjson", report=report)
    assert ledger(report)["annotations"] == Account(read=3, kept=3)


@pytest.mark.parametrize("same", [True, False])
def test_what_the_caller_leaves_out_of_a_source_is_skipped(same: bool, tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX), sample("b", BOX, BOX), sample("c"), bad=1)
    dataset = lc.read(source)
    chosen = Samples(lambda: (each for each in dataset if each.key != "b"))
    report = dataset.report if same else Report()
    lc.write(chosen, tmp_path / "o.native.ndjson", report=report)
    if same:
        assert ledger(report) == {
            "samples": Account(read=4, kept=2, rejected=1, skipped=1),
            "annotations": Account(read=3, kept=1, skipped=2),
        }
    else:
        assert ledger(report) == {
            "samples": Account(read=2, kept=2),
            "annotations": Account(read=1, kept=1),
        }


def test_what_the_caller_adds_to_a_source_is_read(tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX))
    dataset = lc.read(source)
    more = Samples(lambda: iter([*dataset, sample("b", BOX, LINE)]))
    report = lc.write(more, tmp_path / "o.native.ndjson", report=dataset.report)
    assert ledger(report)["annotations"] == Account(read=3, kept=3)
    assert ledger(report)["samples"] == Account(read=2, kept=2)


def test_accounting_hands_on_ontology_and_info() -> None:
    dataset = Samples([sample("a", BOX)], info={"a:b": 1})
    counted = accounted(dataset, Report())
    assert counted.ontology == dataset.ontology
    assert counted.info == {"a:b": 1}
    assert list(counted) == list(counted) == list(dataset)


def test_a_loss_in_writing_is_refused_and_can_be_allowed(tmp_path: Path) -> None:
    dataset = Samples([sample("a", LINE, BOX)])
    with pytest.raises(LossError):
        lc.write(dataset, tmp_path / "o.json", "coco")
    assert names_in(tmp_path) == []
    report = lc.write(dataset, tmp_path / "o.json", "coco", allow=["L401"])
    assert ledger(report)["annotations"] == Account(read=2, kept=1, lost=1)


def test_a_strict_report_stops_the_writing_of_bad_data(tmp_path: Path) -> None:
    broken = sample("a", BOX, relations=(Relation("r", "near", "0", "none"),))
    with pytest.raises(StrictError, match="M204"):
        lc.write(Samples([broken]), tmp_path / "o.native.ndjson", report=Report(strict=True))
    assert names_in(tmp_path) == []


def test_reading_says_its_evidence_and_takes_a_name(tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX))
    assert lc.read(source).report.evidence[0].startswith("native")
    assert lc.read(source, "native").report.evidence == []


def test_exceptions_are_also_the_builtin_ones_one_expects() -> None:
    for error, builtin in (
        (SourceError, OSError),
        (TargetError, OSError),
        (OptionError, ValueError),
        (LossError, ValueError),
        (StrictError, ValueError),
        (UnknownFormatError, LookupError),
    ):
        assert issubclass(error, builtin)
        assert issubclass(error, LabelconvError)


# ------------------------------------------------------------------------------ with options


@pytest.mark.parametrize("as_file", [True, False])
def test_categories_are_renamed(as_file: bool, tmp_path: Path) -> None:
    source = native(tmp_path, sample("a", BOX))
    (tmp_path / "names.json").write_text('{"cat": "dog"}')
    rename = tmp_path / "names.json" if as_file else {"cat": "dog"}
    lc.convert(source, tmp_path / "o.native.ndjson", rename=rename)
    (found,) = lc.read(tmp_path / "o.native.ndjson")
    assert found.annotations[0].category == "dog"


def test_an_ontology_that_a_format_does_not_take_or_that_is_given_twice_is_refused(
    tmp_path: Path,
) -> None:
    source = native(tmp_path, sample("a", BOX))
    target = tmp_path / "o.native.ndjson"
    with pytest.raises(OptionError, match="takes no ontology"):
        lc.convert(source, target, ontology=tmp_path / "ontology.json")
    with pytest.raises(OptionError, match="given twice"):
        lc.convert(
            source,
            tmp_path / "o.ndjson",
            to="labelbox",
            ontology=tmp_path / "a.json",
            writer_options={"ontology": "b.json"},
        )
    assert names_in(tmp_path) == ["in.native.ndjson"]


def test_media_that_nothing_needs_are_told_and_a_folder_that_is_not_there_is_refused(
    tmp_path: Path,
) -> None:
    source = native(tmp_path, sample("a", BOX))
    (tmp_path / "pictures").mkdir()
    report = lc.convert(source, tmp_path / "o.native.ndjson", media=tmp_path / "pictures")
    assert report.counts == {codes.MEDIA_UNUSED.id: 1}
    with pytest.raises(OptionError, match="no-such"):
        lc.convert(source, tmp_path / "p.native.ndjson", media=tmp_path / "no-such")
    with pytest.raises(OptionError, match="exif"):
        lc.convert(source, tmp_path / "p.native.ndjson", reader_options={"exif": "perhaps"})


def test_several_sources_are_one_dataset(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        native(tmp_path, sample(f"k{number}", BOX)).rename(tmp_path / f"part{number}.native.ndjson")
    watched: list[str] = []
    report = lc.convert(
        str(tmp_path / "part*.ndjson"),
        tmp_path / "all.native.ndjson",
        watch=lambda sources: watched.extend(Path(source.name).name for source in sources),
    )
    assert watched == [f"part{number}.native.ndjson" for number in (1, 2, 10)]
    assert [each.key for each in lc.read(tmp_path / "all.native.ndjson")] == ["k1", "k2", "k10"]
    assert ledger(report)["annotations"] == Account(read=3, kept=3)


def test_nothing_is_written_beside_the_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io
    import sys

    class Standard:
        buffer = io.BytesIO()

    monkeypatch.setattr(sys, "stdout", Standard)
    monkeypatch.chdir(tmp_path)
    source = native(tmp_path, sample("a", BOX), sample("b", BOX), bad=1)
    lc.convert(source, "-", to="labelbox")
    assert Standard.buffer.getvalue().count(b"\n") == 2
    assert names_in(tmp_path) == ["in.native.ndjson"]
