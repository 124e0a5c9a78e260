"""Where a plan's data, encoders and word vectors are: on this machine, or on the Hub at which commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import snapshots
from benchmarks.data.origins import HubOrigin, Origin, origin_of
from benchmarks.encoders import Checkpoint, locate
from benchmarks.lock import Lock, Repo
from benchmarks.recipes.vectors import content
from benchmarks.schema import Encoder, Task


@dataclass(frozen=True)
class Places:
    """The origin of each task's rows by the task's name, each encoder's checkpoint, and the sha256 of each file of word
    vectors by the name that a recipe has for it.
    """

    origins: dict[str, Origin]
    checkpoints: dict[Encoder, Checkpoint]
    vectors: dict[str, str]

    def without_commit(self) -> list[Repo]:
        """What only the Hub has, and of which neither lock nor cache knows a commit."""
        on_hub = [origin for origin in self.origins.values() if isinstance(origin, HubOrigin)]
        datasets = [origin.repo for origin in on_hub if origin.commit is None]
        found = self.checkpoints.values()
        encoders = [Repo("encoder", c.hub_id) for c in found if not c.folder and c.identity["commit"] is None]
        return list(dict.fromkeys([*encoders, *datasets]))


@dataclass(frozen=True)
class Search:
    """What a plan needs, and where the user said that it may be; `offline` (--sample) refuses what only the Hub has."""

    tasks: tuple[Task, ...]
    encoders: tuple[Encoder, ...]
    data_dir: Path | None
    offline: bool
    vectors: tuple[str, ...]

    def places(self, locked: Lock, ask_hub: bool) -> Places:
        """Every place, with its commit where the Hub is needed: the locked, the cached or the Hub's newest one.

        With `ask_hub` none is left without: the commit is part of a run's identity, which a plan needs.
        One small request for each that is neither local, locked nor cached; raises one UserError for all that fail, and
        one for what can't be read of what is local.
        """
        commits = {"encoder": locked.commits("encoder"), "dataset": locked.commits("dataset")}
        found = self._at(commits)
        if unknown := found.without_commit():
            for repo, commit in snapshots.commits_of(unknown, ask_hub).items():
                commits[repo.kind][repo.hub_id] = commit
            found = self._at(commits)
        return found

    def _at(self, commits: Mapping[str, Mapping[str, str]]) -> Places:
        origins = {task.name: origin_of(task, self.data_dir, commits["dataset"]) for task in self.tasks}
        checkpoints = {encoder: locate(encoder, commits["encoder"], self.offline) for encoder in self.encoders}
        return Places(origins, checkpoints, {name: content(name) for name in self.vectors})


def search(
    tasks: Iterable[Task],
    encoders: Iterable[Encoder],
    data_dir: Path | None,
    offline: bool = False,
    vectors: Iterable[str] = (),
) -> Search:
    """vectors: files of word vectors, as recipes name them."""
    return Search(tuple(tasks), tuple(dict.fromkeys(encoders)), data_dir, offline, tuple(dict.fromkeys(vectors)))
