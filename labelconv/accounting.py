"""The ledger of a run: counted where no reader counts, and balanced at its end."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from labelconv import codes
from labelconv.errors import LabelconvError
from labelconv.model import Dataset, Ontology, Sample, Samples
from labelconv.problems import Account, Report, Where


def accounted(dataset: Dataset, report: Report) -> Dataset:
    """The dataset, with a ledger in `report` that balances whoever made the samples.

    Where nothing counts into `report` while the samples come, each that comes is read. Where a
    reader does, its counts stand; what it read and what does not come (the caller left it out) is
    skipped, and what comes beyond it (the caller added it) is read. What an earlier iteration
    counted as read and nobody decided about is taken back first.
    """

    def start() -> Iterator[Sample]:
        accounts = [account for _, account in report.ledger.rows()]
        for account in accounts:
            account.read = _decided(account)
        expected = [0] * len(accounts)  # what the reader says should have come
        counted = False
        arrived = [0] * len(accounts)
        samples: Iterator[Sample] | None = None
        while True:
            # Only the reader runs up to `next`, so that the difference is its doing.
            before = [(account.read, account.rejected + account.skipped) for account in accounts]
            samples = iter(dataset) if samples is None else samples
            sample = next(samples, None)
            for row, account in enumerate(accounts):
                read = account.read - before[row][0]
                counted = counted or read > 0
                expected[row] += read - (account.rejected + account.skipped - before[row][1])
            if sample is None:
                break
            arrived[0] += 1
            arrived[1] += len(sample.annotations)
            arrived[2] += len(sample.classifications)
            arrived[3] += len(sample.relations)
            yield sample
        for row, account in enumerate(accounts):
            missing = expected[row] - arrived[row] if counted else -arrived[row]
            if missing > 0:
                account.skipped += missing
            else:
                account.read -= missing

    def ontology() -> Ontology:
        """Found by a pass over the samples, perhaps; that pass is not the one accounted for."""
        before = [msgspec.structs.asdict(account) for _, account in report.ledger.rows()]
        found = dataset.ontology
        for (_, account), values in zip(report.ledger.rows(), before, strict=True):
            for name, value in values.items():
                setattr(account, name, value)
        return found

    return Samples(start, ontology, dataset.info)


def _decided(account: Account) -> int:
    return account.kept + account.changed + account.lost + account.rejected + account.skipped


def finish(report: Report) -> None:
    """Note what is known at the end of a run. Raises `LabelconvError` for an unbalanced ledger."""
    for name, count in sorted(report.fields.items()):
        report.add(codes.FIELD_LEFT_OUT, name=name, count=count)
    keyframes = report.keyframes
    if keyframes.after < keyframes.before:
        iou = "" if keyframes.iou is None else f", and has an IoU of {keyframes.iou:.4f} or more"
        report.add(
            codes.TRACK_THINNED,
            keyframes.drift_where or Where(),
            tracks=keyframes.tracks,
            before=keyframes.before,
            after=keyframes.after,
            worst=keyframes.drift,
            iou=iou,
        )
    if not report.ledger.balanced:
        rows = "; ".join(
            f"{name} {msgspec.to_builtins(account)}"
            for name, account in report.ledger.rows()
            if not account.balanced
        )
        raise LabelconvError(f"the ledger does not balance, which is a fault of labelconv: {rows}")
