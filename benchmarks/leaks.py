"""Which test rows resemble a training row, under RESULTS/leaks: one file for a task, its data and a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.files import replacing
from benchmarks.schema import asked, fingerprint, folder_name

LEAKS_VERSION = 1
"""Raised whenever other rows are found to be alike: what is stored is then found anew."""


class Closest(NamedTuple):
    """The row of the training split that a test row is closest to. similarity: 1 where their words are the same."""

    row_id: str
    similarity: float


@dataclass(frozen=True)
class Leaks:
    """Of one training and test split. rows: test row -> training row, of those test rows that resemble any."""

    train: int
    test: int
    rows: dict[str, Closest]

    @property
    def equal(self) -> int:
        """Test rows whose words stand in a training row in the same order."""
        return sum(closest.similarity == 1 for closest in self.rows.values())


def path(results: Path, task: str, definition: str, data: str, code: int, protocol: Mapping[str, Any]) -> Path:
    """definition, data: fingerprints of the task's and its rows' identity; code: the protocol number of ours, by which
    rows are drawn. Where nothing is drawn, a seed is none.
    """
    wanted = asked(protocol, without=())
    drawn = wanted if set(wanted) - {"seed"} else {}
    known = {"version": LEAKS_VERSION, "code": code, "task": definition, "data": data}
    name = fingerprint({**known, "protocol": drawn})
    return results / "leaks" / folder_name(task) / f"{name}.parquet"


def save(path: Path, leaks: Leaks) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    closest, similarity = zip(*leaks.rows.values(), strict=True) if leaks.rows else ((), ())
    columns = {
        "row_id": pa.array(leaks.rows, pa.string()),
        "closest": pa.array(closest, pa.string()),
        "similarity": pa.array(similarity, pa.float32()),
    }
    table = pa.table(columns, metadata={"train": str(leaks.train), "test": str(leaks.test)})
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read(path: Path) -> Leaks | None:
    """None where they were not looked for yet, or the file is torn: they are found anew then."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        train, test = (int(table.schema.metadata[name]) for name in (b"train", b"test"))
        row_ids, *closest = (table.column(name).to_pylist() for name in ("row_id", "closest", "similarity"))
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError):
        return None
    return Leaks(train, test, dict(zip(row_ids, map(Closest, *closest), strict=True)))
