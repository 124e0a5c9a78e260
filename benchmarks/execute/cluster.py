"""Runs as tasks on a Ray cluster: who makes which, and what becomes of it. The head alone has the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path

from benchmarks import tuning, unfinished
from benchmarks.environment import versions
from benchmarks.errors import UserError
from benchmarks.execute import storing
from benchmarks.execute.connection import answers
from benchmarks.execute.making import AGAIN, ELSEWHERE, Event, Tell, too_long
from benchmarks.execute.needs import Need, Node, room, within
from benchmarks.execute.parcels import unpack
from benchmarks.execute.prepare import Prepared
from benchmarks.execute.remote import Begun, Errand, Made, Reference, Trial, Word, make
from benchmarks.execute.sent import Sent, Terms, ears, nodes, send
from benchmarks.runner import failure
from benchmarks.schema import RunFailure, RunResult, RunSpec
from benchmarks.shortage import most_halvings

SECONDS_BETWEEN_LOOKS = 2.0
"""At nodes, which come and go, and at runs that other suites make."""
SECONDS_TO_FALL = 1.0
"""A node that goes down may end its workers first."""
AHEAD = 2
"""Tasks that wait on the cluster while it runs as many as it holds: who is done finds the next one."""
MOST_LOSSES = 10
"""Of one run, with its node: it may be what brings nodes down."""
LOST = "its node was lost: again on another one"
NO_ROOM = "no node that is there has room for it: it waits for one"


@dataclass(eq=False)
class _Flight:
    """A run on its way. claim: holds its lock until it is stored; later: it isn't tried before; number: of its try;
    asked: for it, of its need what the nodes had then; began: when, by time.monotonic, on which node.
    """

    spec: RunSpec
    need: Need
    claim: ExitStack = field(default_factory=ExitStack)
    claimed: bool = False
    later: float = 0.0
    told: bool = False
    number: int = 0
    asked: Need | None = None
    halvings: int = 0
    losses: int = 0
    began: float | None = None
    node: str | None = None

    @property
    def on_gpu(self) -> bool:
        return self.need.gpus > 0


def execute(
    prepared: Prepared, results: Path, tell: Tell, terms: Terms, seconds: Callable[[RunSpec], float]
) -> list[RunFailure]:
    """Makes every prepared run, longest first, and stores it; the failures come back.

    A run whose node is lost begins anew on another one; one whose process is killed, with half as many rows at once: a
    system kills what runs out of memory. One that takes too long has failed. The others go on. Raises UserError where
    a node can't make any run or nothing can be stored any more, Ray's own errors where the cluster is gone.
    """
    _open_all_files()
    longest_first = sorted(prepared.runs, key=seconds, reverse=True)
    waiting = [_Flight(spec, terms.needs[spec.path]) for spec in longest_first]
    head = _Head(prepared, results, tell, send(prepared, terms), waiting)
    try:
        return head.follow()
    finally:
        head.give_up()


def _open_all_files() -> None:
    """As many as the system allows: each run on its way has its lock open, and many shells begin with 1,024."""
    with suppress(ImportError, OSError, ValueError):  # no such limit there, or none that can be raised to its end
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class _Head:
    """Sends runs to the cluster, and stores what comes back."""

    def __init__(self, prepared: Prepared, results: Path, tell: Tell, sent: Sent, waiting: list[_Flight]) -> None:
        import ray

        self.prepared, self.results, self.tell, self.sent = prepared, results, tell, sent
        self.waiting = {on_gpu: [flight for flight in waiting if flight.on_gpu == on_gpu] for on_gpu in (True, False)}
        self.flying: dict[Reference, _Flight] = {}
        self.failures: list[RunFailure] = []
        self.numbers = count(1)
        self.nodes: Sequence[Node] = ()
        self.rooms: dict[Need, tuple[Need, int]] = {}
        self.looked = 0.0
        self.short = False
        # A process sees one GPU for its whole life, and the next run may be given another.
        self.on_processor, self.on_gpu = ray.remote(max_calls=0)(make), ray.remote(max_calls=1)(make)
        self.ears = ears()
        self.hearing = self.ears.heard.remote()

    def follow(self) -> list[RunFailure]:
        while (any(self.waiting.values()) or self.flying) and not (self.failures and self.prepared.options.fail_fast):
            self._look_at_nodes()
            self._send()
            self._listen()
            self._stop_overdue()
        return self.failures

    def give_up(self) -> None:
        """What is not done by now is not wanted any more."""
        import ray

        with suppress(ray.exceptions.RayError):
            for task in self.flying:
                ray.cancel(task, force=True)
            ray.kill(self.ears)
        for flight in (*self.flying.values(), *chain(*self.waiting.values())):
            flight.claim.close()

    # -- out ---------------------------------------------------------------------------------------------------------

    def _look_at_nodes(self) -> None:
        """A task that waits for a node which has gone is taken back."""
        if time.monotonic() - self.looked < SECONDS_BETWEEN_LOOKS:
            return
        import ray

        self.nodes, self.rooms, self.looked = nodes(), {}, time.monotonic()
        for task, flight in list(self.flying.items()):
            if flight.began is None and flight.asked and not room(flight.asked, self.nodes):
                ray.cancel(task, force=True)
                del self.flying[task]
                self.waiting[flight.on_gpu].insert(0, flight)

    def _send(self) -> None:
        """As many runs as the cluster holds, and a few more, of those on a GPU as of those without: none waits for the
        other kind.
        """
        short = []
        for on_gpu, waiting in self.waiting.items():
            flying = sum(flight.on_gpu == on_gpu for flight in self.flying.values())
            for flight in list(waiting):
                need, places = self._room(flight.need)
                if not places:
                    short.append(flight)
                elif flying >= places + AHEAD:
                    break
                elif self._claim(flight):
                    self._submit(flight, need)
                    flying += 1
        if short and not self.short:
            others = f", and {len(short) - 1:,} more with it" if len(short) > 1 else ""
            self.tell(Event(short[0].spec, said=f"{NO_ROOM}{others}"))
        self.short = bool(short)

    def _room(self, need: Need) -> tuple[Need, int]:
        """What of the need the nodes have, and for how many such runs; computed once a look at them."""
        if need not in self.rooms:
            asked = within(need, self.nodes)
            self.rooms[need] = asked, room(asked, self.nodes)
        return self.rooms[need]

    def _claim(self, flight: _Flight) -> bool:
        """Whether it is to be made here now: not while somebody else makes it, and not where it has been made
        meanwhile, which finishes it.
        """
        if flight.claimed or time.monotonic() < flight.later:
            return flight.claimed
        flight.claimed = flight.claim.enter_context(unfinished.claimed(self.results, flight.spec, wait=False))
        if not flight.claimed:
            flight.claim.close()
            flight.later = time.monotonic() + SECONDS_BETWEEN_LOOKS
            if not flight.told:
                flight.told = True
                self.tell(Event(flight.spec, said=ELSEWHERE))
        elif made := storing.made_since(self.prepared, self.results, flight.spec):
            self.waiting[flight.on_gpu].remove(flight)
            self._done(flight, made)
            return False
        return flight.claimed

    def _submit(self, flight: _Flight, need: Need) -> None:
        options, spec = self.prepared.options, flight.spec
        flight.number, flight.asked = next(self.numbers), need
        errand = Errand(
            flight.number,
            spec,
            self.sent.encoders[spec.system.encoder] if spec.system.encoder else None,
            self._known_trials(spec),
            versions(),
            self.ears,
            flight.halvings,
            storing.keeps_model(self.prepared, spec),
            options.checkpoint_seconds,
        )
        task = self.on_gpu if need.gpus else self.on_processor
        needs = {"num_cpus": need.cpus, "num_gpus": need.gpus, "memory": need.memory}
        told = task.options(**needs, max_retries=0, name=spec.path, runtime_env=self.sent.environment)
        self.flying[told.remote(errand, self.sent.rows[spec.task.name])] = flight
        self.waiting[flight.on_gpu].remove(flight)

    def _known_trials(self, spec: RunSpec) -> dict[str, RunResult]:
        trials = [trial.spec for trial in tuning.trials(spec)] if spec.tuning else []
        found = {trial.path: storing.known(self.prepared, self.results, trial) for trial in trials}
        return {path: result for path, result in found.items() if result}

    # -- in ----------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """To tasks on their way, then to those that are over: all that they have said counts before their end."""
        import ray

        ray.wait([*self.flying, self.hearing], timeout=self._patience())  # which tells of the first one alone
        over = _ready(self.flying)
        if not over and not _ready([self.hearing]):
            return
        # One question at a time: what one answer holds and nobody has read yet, no other answer has.
        ray.get(self.ears.wake.remote())
        self._hear(ray.get(self.hearing))
        self._hear(ray.get(self.ears.now.remote()))
        self.hearing = self.ears.heard.remote()
        for task in over:
            self._landed(task)

    def _patience(self) -> float:
        """Seconds to listen."""
        most, now = self.prepared.options.timeout_seconds, time.monotonic()
        begun = [flight.began for flight in self.flying.values() if flight.began is not None]
        left = [began + most - now for began in begun] if most else []
        return max(0.0, min(SECONDS_BETWEEN_LOOKS, *left) if left else SECONDS_BETWEEN_LOOKS)

    def _hear(self, words: Sequence[tuple[int, Word]]) -> None:
        by_number = {flight.number: flight for flight in self.flying.values()}
        for number, word in words:
            if isinstance(word, Trial):  # also of a task that is lost by now
                storing.save(self.results, word.spec, word.outcome, None)
            elif flight := by_number.get(number):
                if isinstance(word, Begun):
                    flight.began, flight.node = time.monotonic(), word.node
                self.tell(Event(flight.spec, 0.0 if isinstance(word, Begun) else word))

    def _landed(self, task: Reference) -> None:
        import ray

        flight = self.flying.pop(task)
        try:
            made = ray.get(task)
        except ray.exceptions.RayError as error:
            self._fallen(flight, error)
            return
        if isinstance(made, UserError):
            self.waiting[flight.on_gpu].append(flight)
            raise made
        self._store(flight, made)

    def _fallen(self, flight: _Flight, error: Exception) -> None:
        """What becomes of a run whose task gave nothing."""
        from ray import exceptions

        killed = isinstance(error, (exceptions.OutOfMemoryError, exceptions.WorkerCrashedError))
        lost = isinstance(error, (exceptions.NodeDiedError, exceptions.ObjectLostError))
        if lost or (killed and self._is_node_gone(flight)):
            flight.losses += 1
            if flight.losses <= MOST_LOSSES:
                return self._again(flight, LOST)
            error = RuntimeError(f"its node was lost {flight.losses} times")
        elif killed and flight.halvings < most_halvings(flight.spec):
            flight.halvings += 1
            return self._again(flight, f"its process was killed: {AGAIN}")
        elif isinstance(error, exceptions.RayTaskError):
            error = error.cause
        return self._store(flight, Made((failure(flight.spec, error), None)))

    def _is_node_gone(self, flight: _Flight) -> bool:
        """The cluster itself notices that after some seconds."""
        time.sleep(SECONDS_TO_FALL)
        there = {node.id: node for node in nodes()}.get(flight.node or "")
        return there is None or not answers(there.address, there.port)

    def _again(self, flight: _Flight, said: str) -> None:
        flight.began = flight.node = None
        self.looked = 0.0
        self.waiting[flight.on_gpu].insert(0, flight)
        self.tell(Event(flight.spec, said=said))

    def _stop_overdue(self) -> None:
        """But for those that are done, and not heard of yet."""
        most = self.prepared.options.timeout_seconds
        if not most:
            return
        import ray

        since = time.monotonic() - most
        overdue = [task for task, flight in self.flying.items() if flight.began is not None and flight.began <= since]
        done = set(_ready(overdue))
        for task in overdue:
            if task not in done:
                ray.cancel(task, force=True)
                flight = self.flying.pop(task)
                self._store(flight, Made((failure(flight.spec, too_long(most)), None)))

    def _store(self, flight: _Flight, made: Made) -> None:
        with storing.model_folder(self.prepared, self.results, flight.spec) as keep:
            if keep and made.model:
                unpack(made.model, keep)
            elif keep:
                keep.rmdir()
            storing.furnish(flight.spec, made.outcome[0], keep)
        storing.save(self.results, flight.spec, *made.outcome)
        self._done(flight, made.outcome[0])

    def _done(self, flight: _Flight, outcome: RunResult | RunFailure) -> None:
        flight.claim.close()
        if isinstance(outcome, RunFailure):
            self.failures.append(outcome)
        self.tell(Event(flight.spec, 1.0, outcome))


def _ready(tasks: Collection[Reference]) -> list[Reference]:
    """Those that are over, however they ended."""
    import ray

    return list(ray.wait(list(tasks), num_returns=len(tasks), timeout=0)[0]) if tasks else []
