"""encoder-bench.lock: the commits and checksums of all that was fetched, so that offline use gives the same runs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from benchmarks.definitions import validated
from benchmarks.errors import UserError, short
from benchmarks.files import read_text, write_text
from benchmarks.schema import Value

NAME = "encoder-bench.lock"
LARGEST = 50_000_000
"""Bytes: an entry has some hundred a file."""

Kind = Literal["encoder", "dataset"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Repo(NamedTuple):
    """Something on the Hub. The kind belongs to its name: an encoder and a data set may have the same id."""

    kind: Kind
    hub_id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.hub_id!r}"


class Locked(Value):
    """The commit in use, and the sha256 of every file that was fetched of it."""

    commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    files: dict[str, Sha256]


class Lock(Value):
    """Hub id -> what is locked of it."""

    schema_: Literal[1] = Field(default=1, alias="schema")
    encoders: dict[str, Locked] = Field(default={})
    datasets: dict[str, Locked] = Field(default={})

    def commits(self, kind: Kind) -> dict[str, str]:
        """Hub id -> commit."""
        return {hub_id: locked.commit for hub_id, locked in self._of(kind).items()}

    def entry(self, repo: Repo) -> Locked | None:
        return self._of(repo.kind).get(repo.hub_id)

    def with_entry(self, repo: Repo, locked: Locked) -> Lock:
        """Files of the same commit are kept: another plan may need another configuration of the same data set."""
        old = self.entry(repo)
        kept = old.files if old and old.commit == locked.commit else {}
        merged = Locked(commit=locked.commit, files={**kept, **locked.files})
        return self.model_copy(update={f"{repo.kind}s": {**self._of(repo.kind), repo.hub_id: merged}})

    def _of(self, kind: Kind) -> dict[str, Locked]:
        return self.encoders if kind == "encoder" else self.datasets


def read(path: Path = Path(NAME)) -> Lock:
    """The lock in a file; an empty one where there is no file. Raises UserError with every problem of the file."""
    if not path.exists():
        return Lock()
    text = read_text(path, LARGEST)
    try:
        content = json.loads(text, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        raise UserError(f"{path}:{error.lineno}: not valid JSON: {error.msg}. {_REMEDY}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: can't be read: {error}. {_REMEDY}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: holds {type(content).__name__}, expected 'encoders' and 'datasets'. {_REMEDY}")
    return validated(Lock, content, path)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two branches that are merged may leave an entry twice, of which the second would silently win."""
    counts = Counter(key for key, _ in pairs)
    if len(counts) < len(pairs):
        raise ValueError(f"{short(counts.most_common(1)[0][0])} stands here twice")
    "".join(counts).encode()  # raises ValueError for half a surrogate pair, which could not be written again
    return dict(pairs)


_REMEDY = "Restore it, or delete it and run `encoder-bench fetch` again."


def write(lock: Lock, path: Path = Path(NAME)) -> None:
    """Sorted, so that a change of one entry is a change of its lines alone. Raises UserError."""
    text = json.dumps(lock.model_dump(by_alias=True), indent=2, sort_keys=True, ensure_ascii=False)
    write_text(path, text + "\n")
