"""The verb `fetch`: all that a plan needs into the Hub cache, its commits and checksums into the lock."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable
from functools import partial

from benchmarks import amounts, definitions, files, lock, selection, snapshots
from benchmarks.data import hub
from benchmarks.data.origins import HubOrigin, origin_of
from benchmarks.encoders import locate, snapshot
from benchmarks.environment import cache_dir
from benchmarks.errors import UserError
from benchmarks.lock import Locked, Repo
from benchmarks.schema import Encoder, Task
from benchmarks.snapshots import Snapshot

Get = Callable[[str, Locked | None], Snapshot]
Item = Callable[[Namespace], str]


def fetch(arguments: Namespace) -> int:
    """Fetches and locks one thing after the other; what can't be had is told at the end, all at once."""
    if not arguments.tasks and not arguments.systems:
        raise UserError("--tasks: required (or --systems), such as --tasks ner,news; `encoder-bench list` shows them.")
    if arguments.sample:
        os.environ["HF_HUB_OFFLINE"] = "1"
    lock.read()  # a broken one is told before the first download
    refused = []
    for item in [*_encoders(arguments), *_tasks(arguments)]:
        try:
            print(item(arguments), flush=True)
        except UserError as error:
            refused.append(str(error))
    if refused:
        raise UserError("\n".join([f"{len(refused)} could not be fetched:", *refused]))
    return 0


def _tasks(arguments: Namespace) -> list[Item]:
    chosen = selection.select_tasks(arguments.tasks or (), definitions.load_tasks(), arguments.sample)
    return [partial(_data, task) for task in chosen]


def _encoders(arguments: Namespace) -> list[Item]:
    chosen = selection.select_systems(arguments.systems, definitions.load_systems(), arguments.sample)
    return [partial(_encoder, encoder) for encoder in dict.fromkeys(s.encoder for s in chosen if s.encoder)]


def _encoder(encoder: Encoder, arguments: Namespace) -> str:
    found = locate(encoder, {}, arguments.sample)
    if found.folder:
        return f"encoder {encoder.checkpoint}: local: {found.folder}"
    return _locked(Repo("encoder", found.hub_id), arguments.update, partial(snapshot, found.hub_id))


def _data(task: Task, arguments: Namespace) -> str:
    origin = origin_of(task, arguments.data_dir, {})
    if not isinstance(origin, HubOrigin):
        return f"data {task.name}: local: {origin.summary}"
    return f"data {task.name}: {_locked(origin.repo, arguments.update, partial(hub.fetch, origin.hub))}"


def _locked(repo: Repo, update: bool, get: Get) -> str:
    """Fetches at the locked commit, else (and with `update`) at the Hub's newest one, and locks that at once."""
    entry = None if update else lock.read().entry(repo)
    commit = entry.commit if entry else snapshots.newest_commits([repo])[repo]
    found = get(commit, entry)
    fetched = Locked(commit=commit, files=found.checksums())
    with files.alone(cache_dir() / lock.NAME):  # else another fetch here may write between the two
        lock.write(lock.read().with_entry(repo, fetched))
    number = amounts.counted(len(found.files), "file")
    return f"{repo.kind} {repo.hub_id}: commit {commit[:12]}, {number}, {amounts.size(found.size())}"
