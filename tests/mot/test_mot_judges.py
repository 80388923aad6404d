"""motmetrics reads what we write and finds the round trip perfect; and real tracks that it brings.

It shares no code with ours. Needs the dependency group `judges`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import motmetrics
import numpy as np
import pytest

import labelconv as lc
from labelconv.model import Annotation, Box, Sample, Samples, Track, Video
from labelconv.problems import Report
from labelconv.tracks import compress, track_of


def crowd() -> list[Sample]:
    """Two clips of crossing tracks with gaps."""
    samples = []
    for number in range(2):
        tracks = []
        for id in range(1, 9):
            frames = [f for f in range(id, 60 + id) if f % (11 + id)]
            shapes = [
                Box(x, 5.0 * id, x + 20.25, 5.0 * id + 40.0)
                for x in ((f * (id - 4) + 200.0) for f in frames)
            ]
            tracks.append(Annotation(str(id), "pedestrian", track_of(frames, shapes)))
        samples.append(Sample(f"clip-{number}", Video(640.0, 480.0, 80, 30.0), tuple(tracks)))
    return samples


def judged(truth: Path, found: Path) -> dict[str, Any]:
    if not hasattr(np, "asfarray"):  # motmetrics 1.4 was written for numpy 1
        np.asfarray = lambda given, dtype=float: np.asarray(given, dtype)
    one, other = (motmetrics.io.loadtxt(path, fmt="mot16") for path in (truth, found))
    accumulator = motmetrics.utils.compare_to_groundtruth(one, other, "iou", distth=0.5)
    measures = ["mota", "idf1", "motp", "num_switches", "num_objects"]
    host = motmetrics.metrics.create()
    summary = host.compute(accumulator, metrics=measures).iloc[0]
    return dict(summary)


@pytest.mark.filterwarnings("ignore")
def test_motmetrics_reads_what_is_written_and_finds_the_round_trip_perfect(tmp_path: Path) -> None:
    lc.write(Samples(crowd()), tmp_path / "one", "mot")
    lc.convert(tmp_path / "one", tmp_path / "tracks.ndjson", from_="mot", to="native")
    lc.convert(tmp_path / "tracks.ndjson", tmp_path / "two", from_="native", to="mot")
    for sample in crowd():
        path = Path(sample.key) / "gt" / "gt.txt"
        summary = judged(tmp_path / "one" / path, tmp_path / "two" / path)
        assert (summary["mota"], summary["idf1"], summary["num_switches"]) == (1.0, 1.0, 0)
        assert summary["motp"] == pytest.approx(0.0, abs=1e-12)
        assert summary["num_objects"] == sum(
            len(segment)
            for a in sample.annotations
            for segment in a.value.segments  # type: ignore[union-attr]
        )


@pytest.mark.filterwarnings("ignore")
def test_motmetrics_finds_tracks_perfect_after_labelbox_at_tolerance_1(tmp_path: Path) -> None:
    lc.write(Samples(crowd()), tmp_path / "one", "mot")
    lc.convert(tmp_path / "one", tmp_path / "mal.ndjson", from_="mot", to="labelbox")
    lc.convert(
        tmp_path / "mal.ndjson", tmp_path / "two", from_="labelbox", to="mot", allow=["loss"]
    )
    for sample in crowd():
        path = Path(sample.key) / "gt" / "gt.txt"
        summary = judged(tmp_path / "one" / path, tmp_path / "two" / path)
        assert (summary["mota"], summary["idf1"]) == (1.0, 1.0)


def test_the_default_is_within_15_percent_of_the_fewest_on_real_tracks() -> None:
    folder = Path(motmetrics.__file__).parent / "data"
    counts: dict[str, list[int]] = {}
    for name in ("TUD-Campus", "TUD-Stadtmitte"):
        (sample,) = lc.read(folder / name / "gt.txt", "mot", report=Report())
        tracks = [a.value for a in sample.annotations if isinstance(a.value, Track)]
        assert len(tracks) == {"TUD-Campus": 8, "TUD-Stadtmitte": 10}[name]
        if name == "TUD-Campus":
            assert sum(len(s) for track in tracks for s in track.segments) == 359
            assert sum(len(track.segments) for track in tracks) == 8
        for tolerance in (0, 0.5, 1, 2, 5):
            default, fewest = (
                sum(len(s) for t in tracks for s in compress(t, tolerance, method=m).segments)
                for m in ("reach", "fewest")
            )
            counts.setdefault(name, []).append(default)
            assert fewest <= default <= 1.15 * fewest
    # A plain farthest walk that stops at the first frame it cannot reach needs 357, 301, 299, 291.
    assert counts["TUD-Campus"][:4] == [355, 301, 299, 285]
