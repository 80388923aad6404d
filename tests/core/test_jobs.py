"""Several processes: the same bytes and the same report as one, and a clean end in every case."""

from __future__ import annotations

import json
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np  # noqa: F401 - loaded once, not in each process
import pytest
from hypothesis import given
from hypothesis import strategies as st

import labelconv as lc
from labelconv import identity, jobs, jsonstream, problems
from labelconv.errors import LabelconvError, LossError, OptionError, SourceError, StrictError
from labelconv.formats.labelbox import writer_cap, writer_output
from labelconv.identity import Seen
from labelconv.jobs import Crew, number_of
from labelconv.problems import Report, Where

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

WINDOW = 1_500


class Watch(msgspec.Struct):
    """What happened in the processes: how many were started, and which were taken in."""

    started: int = 0
    taken: list[bool] = []


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Small windows and stretches, and a look at what comes of them."""
    watched = Watch(taken=[])
    start, take = Crew.start, Crew.take

    def counted(self: Crew, stretches: Any) -> bool:
        watched.started += len(stretches)
        return start(self, stretches)

    def told(self: Crew, number: int, fits: Any) -> Any:
        state = take(self, number, fits)
        watched.taken.append(state is not None)
        return state

    monkeypatch.setattr(jsonstream, "WINDOW_BYTES", WINDOW)
    monkeypatch.setattr(jobs, "LEAST_BYTES", 100)
    monkeypatch.setattr(Crew, "start", counted)
    monkeypatch.setattr(Crew, "take", told)
    return watched


def box(id: object, image: object, **more: object) -> dict[str, Any]:
    return {"id": id, "image_id": image, "category_id": 1, "bbox": [1, 2, 3, 4], **more}


def document(annotations: list[Any], images: int = 20, **members: object) -> dict[str, Any]:
    pictures = [
        {"id": n, "file_name": f"{n}.jpg", "width": 100, "height": 100} for n in range(images)
    ]
    categories = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    return {
        "images": pictures,
        "annotations": annotations,
        "categories": categories,
        **members,
    }


def mixed(count: int = 120) -> list[dict[str, Any]]:
    """Annotations of every kind, and broken ones, in no order of pictures."""
    choose = random.Random(5)
    made: list[dict[str, Any]] = []
    for n in range(count):
        record = box(n + 1, choose.randrange(18))
        kind = n % 12
        ring = [1, 1, 11, 1, 11, 21.5, 1, 21.5]
        if kind == 1:
            record |= {"segmentation": [ring, [30, 30, 40, 30, 40, 40]], "bbox": [1, 1, 39, 39]}
        elif kind == 2:
            record |= {"segmentation": [ring], "bbox": [1, 1, 10, 20.5], "area": 205.0}
        elif kind == 3:
            record |= {"segmentation": {"size": [100, 100], "counts": [0, 50, 9950]}, "iscrowd": 1}
        elif kind == 4:
            record["image_id"] = 999
        elif kind == 5:
            record["category_id"] = 77
        elif kind == 6:
            record["bbox"] = [1, 2, -3, 4]
        elif kind == 7:
            record |= {"note": '},{ "', "deep": [{"a": 1}, {"b": {"c": []}}], "score": 0.5}
        elif kind == 8:
            record["bbox"] = [1, 2, 3, "4"]
        elif kind == 9:
            record |= {"segmentation": [ring], "bbox": [50, 50, 10, 10]}
        made.append(record)
    return made


class Result(msgspec.Struct):
    """What a conversion left: the target's bytes, the rejected records, the report."""

    target: bytes
    rejected: bytes
    report: dict[str, Any]


def converted(source: Path, folder: Path, jobs: int | None, **more: Any) -> Result:
    target = folder / f"out-{jobs}.ndjson"
    report = lc.convert(source, target, from_="coco", to="labelbox", jobs=jobs, **more)
    beside = folder / f"{target.name}.rejected.ndjson"
    rejected = beside.read_bytes() if beside.exists() else b""
    assert {path.name for path in folder.iterdir()} <= {source.name, target.name, beside.name}
    made = Result(target.read_bytes(), rejected, report.as_dict())
    target.unlink()
    beside.unlink(missing_ok=True)
    return made


def same(source: Path, folder: Path, counts: tuple[int, ...] = (2, 3, 5), **more: Any) -> Result:
    alone = converted(source, folder, 1, **more)
    for count in counts:
        assert converted(source, folder, count, **more) == alone
    return alone


def written(path: Path, value: object, **how: Any) -> Path:
    path.write_text(json.dumps(value, **how))
    return path


def no_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


# --------------------------------------------------------------------------------- the same result


@pytest.mark.parametrize("indent", [None, 0, 2])
@pytest.mark.parametrize("shape", ["auto", "box", "polygon"])
def test_several_processes_write_and_report_what_one_does(
    tmp_path: Path, watch: Watch, shape: str, indent: int | None
) -> None:
    source = written(tmp_path / "in.json", document(mixed()), indent=indent)
    alone = same(source, tmp_path, reader_options={"shape": shape})
    assert watch.started == 1 + 2 + 4
    assert watch.taken == [True] * 7
    assert alone.report["ledger"]["annotations"]["read"] == 120
    assert alone.rejected.count(b"\n") == alone.report["ledger"]["annotations"]["rejected"]


def test_several_processes_lower_to_the_tools_of_an_ontology_alike(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, watch: Watch
) -> None:
    tools = [{"tool": "rectangle", "name": "a"}, {"tool": "point", "name": "b"}]
    ontology = written(tmp_path_factory.mktemp("project") / "o.json", {"tools": tools})
    source = written(tmp_path / "in.json", document(mixed()))
    alone = same(source, tmp_path, ontology=ontology, allow=["L402"])
    assert watch.taken == [True] * 7
    assert alone.report["counts"]["L402"] == 40
    assert alone.target.count(b'"bbox"') == alone.target.count(b"\n") > 30


def test_measures_are_summed_in_the_order_of_the_source(tmp_path: Path, watch: Watch) -> None:
    rng = random.Random(2)
    holes = [box(n + 1, n % 7, segmentation=ring(rng), bbox=None) for n in range(60)]
    source = written(tmp_path / "in.json", document(holes))
    allowed = {"writer_options": {"parts": "mask"}, "reader_options": {"shape": "mask"}}
    same(source, tmp_path, **allowed)
    alone = same(source, tmp_path, writer_options={"parts": "mask"}, min_iou=0.999, allow=["loss"])
    (measure,) = alone.report["measures"].values()
    assert measure["count"] == 60
    assert 0 < measure["worst"] < 1
    assert all(watch.taken)


def ring(rng: random.Random) -> list[list[float]]:
    x, y, w, h = (rng.uniform(1, 40) for _ in range(4))
    return [[x, y, x + w, y, x + w, y + h], [x + 50, y, x + 55.5, y, x + 55.5, y + 9.25]]


def test_records_without_ids_are_called_by_their_place(tmp_path: Path, watch: Watch) -> None:
    records = [{k: v for k, v in each.items() if k != "id"} for each in mixed()]
    same(written(tmp_path / "in.json", document(records)), tmp_path)
    assert all(watch.taken)
    assert watch.started == 7


def test_annotations_before_the_pictures_are_shared_too(tmp_path: Path, watch: Watch) -> None:
    whole = document(mixed())
    turned = {name: whole[name] for name in ("annotations", "categories", "images")}
    same(written(tmp_path / "in.json", turned), tmp_path)
    assert watch.started == 7
    assert all(watch.taken)


def test_a_large_member_behind_the_annotations_makes_no_difference(
    tmp_path: Path, watch: Watch
) -> None:
    more = {"evaluation": [box(n, n) for n in range(400)], "z": 1}
    same(written(tmp_path / "in.json", document(mixed(30), **more)), tmp_path)
    assert watch.started
    assert watch.taken == []


def test_results_with_their_pictures_are_shared(tmp_path: Path, watch: Watch) -> None:
    given = written(tmp_path / "categories.json", document([]))
    records = [{**each, "score": 0.25} for each in mixed()]
    for each in records:
        del each["id"]
    folder = tmp_path / "out"
    folder.mkdir()
    source = written(folder / "in.json", records)
    same(source, folder, reader_options={"categories": str(given)})
    assert watch.started == 7
    assert all(watch.taken)


def test_a_report_keeps_no_more_problems_of_a_code_than_one_process_would(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problems, "KEEP_PER_CODE", 7)
    alone = same(written(tmp_path / "in.json", document(mixed())), tmp_path)
    assert len([each for each in alone.report["problems"] if each["code"] == "R104"]) <= 7
    assert all(watch.taken)


def test_losses_are_refused_as_in_one_process(tmp_path: Path, watch: Watch) -> None:
    annotations = [
        box(n, n % 9, keypoints=[1, 1, 2], num_keypoints=1, category_id=1) for n in range(60)
    ]
    whole = document(annotations)
    whole["categories"][0] |= {"keypoints": ["p"], "skeleton": []}
    source = written(tmp_path / "in.json", whole)
    said = []
    for count in (1, 3):
        with pytest.raises(LossError) as caught:
            converted(source, tmp_path, count)
        said.append((str(caught.value), caught.value.report.as_dict()))
    assert said[0] == said[1]
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]
    assert watch.started == 2


def test_a_dry_run_writes_nothing(tmp_path: Path, watch: Watch) -> None:
    source = written(tmp_path / "in.json", document(mixed()))
    reports = [
        lc.convert(
            source, tmp_path / "o", from_="coco", to="labelbox", jobs=count, dry_run=True
        ).as_dict()
        for count in (1, 3)
    ]
    assert reports[0] == reports[1]
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]
    assert watch.taken == [True, True]


# ------------------------------------------------------------------------- what one does by itself


def test_an_id_of_two_stretches_is_told_and_renamed(tmp_path: Path, watch: Watch) -> None:
    records = [box(n % 70, n % 9) for n in range(120)]
    alone = same(written(tmp_path / "in.json", document(records)), tmp_path)
    assert alone.report["counts"]["R105"] == 50
    assert False in watch.taken


def test_captions_of_one_picture_in_two_stretches_are_numbered_on(
    tmp_path: Path, watch: Watch
) -> None:
    records = [{"id": n, "image_id": n % 9, "caption": f"text {n}"} for n in range(120)]
    alone = same(written(tmp_path / "in.json", document(records)), tmp_path)
    assert b'"caption 13"' in alone.target
    assert watch.taken
    assert not any(watch.taken)


def test_captions_in_one_stretch_alone_do_not_keep_it_back(tmp_path: Path, watch: Watch) -> None:
    records = [*mixed(), *({"id": 1000 + n, "image_id": n, "caption": "x"} for n in range(4))]
    same(written(tmp_path / "in.json", document(records)), tmp_path, counts=(2,))
    assert watch.taken == [True]


def test_the_cap_of_a_feature_counts_the_lines_of_all(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_cap, "FEATURE_CAP", 50)
    monkeypatch.setattr(writer_cap, "_LIKELY", 5)
    records = [box(n, n % 2) for n in range(160)]
    source = written(tmp_path / "in.json", document(records))
    alone = same(source, tmp_path, allow=["loss"])
    assert alone.target.count(b"\n") == 100
    assert alone.report["ledger"]["annotations"]["lost"] == 60
    assert False in watch.taken


def test_a_uuid_is_kept_once_only(tmp_path: Path, watch: Watch) -> None:
    uuid = "8b0e6f2a-52c7-5d0e-9a55-3f1d8f6f1c11"
    records = [box(n, n % 9) for n in range(120)]
    records[3]["id"], records[100]["id"] = uuid, uuid.upper()
    alone = same(written(tmp_path / "in.json", document(records)), tmp_path)
    assert alone.target.count(uuid.encode()) == 1
    assert False in watch.taken


def test_a_border_inside_a_record_is_none(tmp_path: Path, watch: Watch) -> None:
    inside = [box(5_000 + n, 1) for n in range(60)]
    records = [box(n, n % 9, inner=inside if n % 10 == 5 else []) for n in range(40)]
    same(written(tmp_path / "in.json", document(records)), tmp_path)
    assert watch.started


@pytest.mark.parametrize(
    "more",
    [
        {"writer_options": {"lines": 10}},
        {"writer_options": {"masks": "composite"}},
    ],
)
def test_folders_are_written_by_one_process(
    tmp_path: Path, watch: Watch, more: dict[str, Any]
) -> None:
    source = written(tmp_path / "in.json", document(mixed()))
    lc.convert(source, tmp_path / "out", from_="coco", to="labelbox", jobs=3, **more)
    assert (tmp_path / "out").is_dir()
    assert watch.started == 0


@pytest.mark.parametrize(
    "more", [{"rename": {"a": "x"}}, {"passes": [lambda dataset, report: dataset]}]
)
def test_passes_see_all_samples_in_one_process(
    tmp_path: Path, watch: Watch, more: dict[str, Any]
) -> None:
    same(written(tmp_path / "in.json", document(mixed())), tmp_path, counts=(3,), **more)
    assert watch.started == 0


def test_several_files_are_for_one_process(tmp_path: Path, watch: Watch) -> None:
    written(tmp_path / "a1.json", document(mixed(40)))
    written(tmp_path / "a2.json", document([]))
    lc.convert(tmp_path / "a*.json", tmp_path / "o", from_="coco", to="labelbox", jobs=3)
    assert watch.started == 0


def test_pictures_that_only_results_name_are_for_one_process(tmp_path: Path, watch: Watch) -> None:
    records = [box(None, n % 7, score=0.5) for n in range(60)]
    given = written(tmp_path / "categories.json", {"categories": [{"id": 1, "name": "a"}]})
    folder = tmp_path / "out"
    folder.mkdir()
    source = written(folder / "in.json", records)
    same(source, folder, counts=(3,), reader_options={"categories": str(given)})
    assert watch.started == 0


def test_a_second_array_of_annotations_is_for_one_process(tmp_path: Path, watch: Watch) -> None:
    first, second = json.dumps(mixed()), json.dumps([box(5_000 + n, 3) for n in range(60)])
    text = json.dumps(document([]))
    source = tmp_path / "in.json"
    both = f'"annotations": {first}, "annotations": {second}'
    source.write_text(text.replace('"annotations": []', both))
    same(source, tmp_path, counts=(3,))
    assert watch.started == 2


def test_strict_stops_at_the_first_error_in_one_process(tmp_path: Path, watch: Watch) -> None:
    source = written(tmp_path / "in.json", document(mixed()))
    with pytest.raises(StrictError):
        converted(source, tmp_path, 3, strict=True)
    assert watch.started == 0
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]


# ------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize("cut", [0.4, 0.8, 0.97])
def test_a_file_that_is_cut_off_is_refused_with_the_same_words(
    tmp_path: Path, watch: Watch, cut: float
) -> None:
    text = json.dumps(document(mixed()))
    source = tmp_path / "in.json"
    source.write_text(text[: int(len(text) * cut)])
    said = []
    for count in (1, 3):
        with pytest.raises(SourceError) as caught:
            converted(source, tmp_path, count)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]
    assert no_children()
    assert watch.started <= 2


def test_a_process_that_is_killed_ends_the_run_and_leaves_nothing(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_settle_in", lambda parent: os.kill(os.getpid(), signal.SIGKILL))
    source = written(tmp_path / "in.json", document(mixed()))
    with pytest.raises(LabelconvError, match="SIGKILL"):
        converted(source, tmp_path, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]
    assert no_children()
    assert watch.started == 2


@pytest.mark.parametrize("fault", [ValueError("x"), MemoryError(), OSError(28, "no space")])
def test_what_one_process_cannot_do_the_first_one_does(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def failing(parent: int) -> None:
        raise fault

    monkeypatch.setattr(jobs, "_settle_in", failing)
    same(written(tmp_path / "in.json", document(mixed())), tmp_path)
    assert watch.taken == [False] * 3
    assert no_children()


def test_a_fault_of_the_first_process_ends_all(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others would sleep for a minute; nothing of them is left, and nothing is written."""
    monkeypatch.setattr(jobs, "_settle_in", lambda parent: time.sleep(60))
    monkeypatch.setattr(writer_output, "BUFFERED_LINES", 1)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writer_output.Output, "flush", interrupted)
    source = written(tmp_path / "in.json", document(mixed()))
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        converted(source, tmp_path, 3)
    assert time.monotonic() - started < 30
    assert watch.started == 2
    assert no_children()
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]


def test_a_system_without_room_for_more_processes_uses_one(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork, made = os.fork, []

    def second_fails() -> int:
        if made:
            raise BlockingIOError(11, "no room")
        made.append(1)
        return fork()

    source = written(tmp_path / "in.json", document(mixed()))
    alone = converted(source, tmp_path, 1)
    monkeypatch.setattr(os, "fork", second_fails)
    assert converted(source, tmp_path, 3) == alone
    assert watch.taken == []
    assert no_children()


def large(path: Path) -> Path:
    """Enough work for a second or two, most of it polygons."""
    ring = [value for n in range(30) for value in (n + 1.25, (n * 7) % 31 + 2.5)]
    records = [box(n, n % 20, segmentation=[ring], bbox=[1.25, 2.5, 29, 30]) for n in range(30_000)]
    return written(path, document(records))


def children_of(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children")
    return [int(each) for each in listed.read_text().split()]


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="processes are listed in /proc")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_to_the_first_process_end_all_of_them(tmp_path: Path, sent: signal.Signals) -> None:
    source, target = large(tmp_path / "in.json"), tmp_path / "out.ndjson"
    command = [sys.executable, "-m", "labelconv", "convert", str(source), str(target)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COV")}
    running = subprocess.Popen(
        [*command, "--from", "coco", "--to", "labelbox", "--jobs", "3", "--quiet"],
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    others: list[int] = []
    while len(others) < 2 and running.poll() is None and time.monotonic() < deadline:
        others = children_of(running.pid)
        time.sleep(0.005)
    assert len(others) == 2
    if sent is signal.SIGINT:
        os.killpg(running.pid, sent)  # as a terminal does
    else:
        running.send_signal(sent)
    _, said = running.communicate(timeout=30)
    deadline = time.monotonic() + 10
    while any(map(is_alive, others)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(is_alive, others))
    assert running.returncode == (130 if sent is signal.SIGINT else -sent)
    assert b"Traceback" not in said
    left = sorted(path.name for path in tmp_path.iterdir() if path != source)
    assert left == ([] if sent is signal.SIGINT else [f".out.ndjson.{running.pid}.part"])


# ------------------------------------------------------------------------------------- the numbers


def test_a_number_of_processes_is_found_by_size_and_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.main_thread()])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    least = jobs.LEAST_BYTES
    assert [number_of(None, n * least) for n in (0, 1, 2, 3, 100)] == [1, 1, 2, 3, 3]
    assert [number_of(0, n * least) for n in (0, 100)] == [1, 3]
    assert [number_of(7, n * least) for n in (0, 5, 100)] == [1, 5, 7]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert number_of(None, 100 * least) == 1


def test_other_threads_keep_it_to_one_process_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = threading.Thread(name=jobs.PROGRESS_THREAD)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.main_thread(), bar])
    assert number_of(None, 1 << 30) == 2
    others = [threading.main_thread(), threading.Thread()]
    monkeypatch.setattr(threading, "enumerate", lambda: others)
    assert number_of(None, 1 << 30) == 1
    assert number_of(2, 1 << 30) == 2


def test_a_system_without_fork_uses_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    assert number_of(4, 1 << 30) == 1


def test_less_than_no_process_is_refused(tmp_path: Path) -> None:
    source = written(tmp_path / "in.json", document([]))
    with pytest.raises(OptionError, match="-1"):
        converted(source, tmp_path, -1)


# ----------------------------------------------------------------------------------- what is joined

_IDS = st.integers() | st.integers(0, 9_000) | st.integers(2**62, 2**70) | st.text(max_size=3)


@pytest.mark.parametrize("pages", [0, 1, 20_000])
@given(st.lists(_IDS, max_size=30), st.lists(_IDS, max_size=30), st.lists(_IDS, max_size=5))
def test_ids_of_two_stretches_are_compared_and_united_as_sets_are(
    pages: int, first: list[int | str], second: list[int | str], asked: list[int | str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity, "_MOST_PAGES", pages)
        one, other = Seen(), Seen()
        for id in first:
            one.add(id)
        for id in second:
            other.add(id)
        assert one.meets(other) is other.meets(one) is bool(set(first) & set(second))
        one.update(other)
        both = {*first, *second}
        assert all((id in one) is (id in both) for id in [*both, *asked])
        assert [one.add(id) for id in dict.fromkeys(asked)] == [
            id in both for id in dict.fromkeys(asked)
        ]


def test_reports_of_parts_join_to_that_of_the_whole() -> None:
    from labelconv import codes

    values = [0.1, 0.7, 0.2, 0.30000000000000004, 0.2]
    whole, first = Report(), Report()
    parts = [first, Report(part=True), Report(part=True)]
    for number, value in enumerate(values):
        for report in (whole, parts[number // 2]):
            where = Where(pointer=f"/{number}")
            report.measure(codes.SHAPE_LOWERED, "iou", value, where)
            report.field(f"x{number % 2}")
            report.ledger.annotations.read += 1
            report.reject(codes.ID_DUPLICATE, where, b"{}", field="id", value="1", first="2")
    for part in parts[1:]:
        first.join(pickle.loads(pickle.dumps(part.sealed())))
    assert first.as_dict() == whole.as_dict()
    assert first.take_rejected() == whole.take_rejected()
    assert first.errors == whole.errors == 5


@given(
    st.lists(
        st.dictionaries(st.sampled_from("ab"), st.integers() | st.text(max_size=9)), max_size=30
    ),
    st.integers(1, 60),
    st.sampled_from([None, 1]),
)
def test_walks_that_begin_at_any_window_cut_the_same_windows(
    records: list[dict[str, Any]], window: int, indent: int | None
) -> None:
    import io

    data = json.dumps(records, indent=indent).encode()
    decoder = msgspec.json.Decoder(list[Any])

    def walked(start: int | None) -> list[tuple[int, bytes]]:
        walker = jsonstream.Walker(io.BytesIO(data), "file")
        if start is None:
            walker.enter()
        else:
            walker.seek(start)
        return [(batch.offset + 1, batch.piece) for batch in walker.elements(decoder)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonstream, "WINDOW_BYTES", window)
        whole = walked(None)
        for number, (start, _) in enumerate(whole):
            assert walked(start) == whole[number:]
        starts = [start for start, _ in whole]
        found = jsonstream.likely_borders(io.BytesIO(data), 1, len(data), 4, lambda _: True)
        assert found == sorted(set(found))
        for border in found:
            walker = jsonstream.Walker(io.BytesIO(data), "file")
            walker.enter()
            list(walker.elements(decoder, 0, border))
            assert (walker.offset == border) is (border in starts)
