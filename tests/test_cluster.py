"""Runs on a Ray cluster: the same bytes as without it, nothing lost with a node, and no disk that is shared."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import make
import pytest
import tiny
from several import PROJECT, Nodes, environment

from benchmarks import unfinished
from benchmarks.cli import main
from benchmarks.cli.screen import Screen
from benchmarks.execute import cluster, sent
from benchmarks.execute.connection import answers, connected
from benchmarks.execute.needs import Need, Node, cores_of_a_run, part_of_a_gpu, room, within
from benchmarks.execute.parcels import encoder_folder, packed_encoder

TASKS = ["run", "--tasks", "./mine.yaml,./names.yaml", "--data-dir", "data"]
TEXTS = ["run", "--tasks", "./mine.yaml", "--data-dir", "data"]
CHEAP = [*TEXTS, "--systems", "majority,tfidf-nb", "--seeds", "2"]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("head")
    make.text_task(folder)
    make.tag_task(folder)
    tiny.checkpoint(folder / "enc", sentences=["bad ending anna lives in berlin"])
    return folder


@pytest.fixture(scope="module")
def ray_cluster(tmp_path_factory) -> Iterator[Nodes]:
    with environment():
        nodes = Nodes(tmp_path_factory.mktemp("nodes"))
        yield nodes
        nodes.end()


@pytest.fixture
def here(place, tmp_path, monkeypatch) -> Path:
    """A folder with the tasks, their data and an encoder."""
    for name in ("data", "enc"):
        shutil.copytree(place / name, tmp_path / name)
    for name in ("mine.yaml", "names.yaml"):
        shutil.copyfile(place / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENCODER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


@pytest.fixture(scope="module")
def alone(place) -> Path:
    """What runs give without a cluster."""
    import torch

    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("ENCODER_BENCH_CACHE", str(place / "cache"))
        assert main([*TASKS, *EVERYTHING, "--results-dir", "alone"]) == 0
        assert main([*TEXTS, *TUNED, "--results-dir", "alone"]) == 0
    return place / "alone"


KEPT = ["--set", "recipe.epochs=2", "--seeds", "2", "--keep-models"]
EVERYTHING = ["--systems", "./enc,tfidf-svm,majority,features-logreg", *KEPT]
TUNED = ["--systems", "tfidf-svm", "--tune", "3", "--seeds", "1"]


def records(results: Path) -> dict[str, dict]:
    found = {path: json.loads(path.read_text()) for path in sorted(results.glob("*/*/*/*.json"))}
    return {str(path.relative_to(results)): record for path, record in found.items() if path.suffix == ".json"}


def runs(results: Path = Path("results")) -> dict[str, dict]:
    return {path: record for path, record in records(results).items() if path.startswith("runs/")}


def assert_same(found: Path, expected: Path, names: set[str]) -> None:
    """These runs have the same scores, predictions and models."""
    for name in names:
        assert runs(found)[name]["metrics"] == runs(expected)[name]["metrics"], name
        predictions = Path(name).with_suffix(".parquet")
        assert (found / predictions).read_bytes() == (expected / predictions).read_bytes(), name
        model = Path("models", *Path(name).with_suffix("").parts[1:], "model.safetensors")
        if (expected / model).is_file():
            assert (found / model).read_bytes() == (expected / model).read_bytes(), name


def nodes_of(ray_cluster: Nodes) -> list[Node]:
    with connected(ray_cluster.address):
        return [node for node in sent.nodes() if node.cpus]


def on_event(monkeypatch, do: Callable[[object], object]) -> None:
    """Does something after each event that a person is shown."""
    tell = Screen.tell

    def telling(self, event):
        tell(self, event)
        do(event)

    monkeypatch.setattr(Screen, "tell", telling)


# -- the same --------------------------------------------------------------------------------------------------------


def test_a_cluster_gives_the_same_bytes_and_reads_nothing_of_the_head_s_disk(
    here, alone, ray_cluster, monkeypatch, capfd
):
    """When all is sent, the head's data, encoder and cache are gone. Nodes have other caches, and work elsewhere."""
    send = cluster.send

    def sending(*given):
        found = send(*given)
        for name in ("data", "enc", "cache"):
            Path(name).rename(f"{name}-of-which-nothing-is-read-any-more")
        return found

    monkeypatch.setattr(cluster, "send", sending)
    assert main([*TASKS, *EVERYTHING, "--ray", ray_cluster.address]) == 0
    said = capfd.readouterr()
    assert "a cluster of 2 nodes: 2 at a time, each on 1 core" in said.out
    assert not re.search(r"\(raylet\)|ray\.|WARNING|INFO", said.out + said.err)
    names = {name for name, record in runs(alone).items() if "tuning" not in record or not record["tuning"]}
    assert len(names) == 12 and runs().keys() == names
    assert_same(here / "results", alone, names)
    trained = [record for record in runs().values() if record["method"] == "finetune"]
    assert {record["environment"]["threads"] for record in trained} == {1}
    assert [len(list(cache.glob("encoders/[!.]*"))) for cache in ray_cluster.caches()] == [1, 1], "once a node"


def test_a_search_goes_on_elsewhere_with_the_trials_that_a_lost_node_has_made(
    here, alone, ray_cluster, monkeypatch, capsys
):
    """All nodes are lost when the first one is stored. The others may be, too, or are made anew: none is made twice."""
    saved: list[str] = []
    save = cluster.storing.save

    def saving(results, spec, *more):
        save(results, spec, *more)
        saved.append(spec.path)
        if len(saved) == 1:
            for _ in ray_cluster.nodes[:]:
                ray_cluster.lose()

    monkeypatch.setattr(cluster.storing, "save", saving)
    assert main([*TEXTS, *TUNED, "--ray", ray_cluster.address]) == 0
    (found,) = runs().values()
    (expected,) = (record for record in runs(alone).values() if record.get("tuning"))
    assert found["metrics"] == expected["metrics"] and found["tuning"]["chosen"] == expected["tuning"]["chosen"]
    assert len(saved) == len(set(saved)) == 4, "three trials and the run, each made once"


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_with_nodes_that_are_killed_nothing_is_lost_and_all_is_the_same(here, alone, ray_cluster, monkeypatch, capsys):
    begun: list[str] = []
    lost: list[str] = []

    def losing(event):
        lost.extend([event.said] if event.said == cluster.LOST else [])
        if event.outcome is None and not event.said and event.share == 0 and event.spec.recipe.keeps_model:
            begun.append(event.spec.path)
            struck = len(begun) == 1 or (len(begun) > 3 and len(lost) < 2)  # on a warm node a run may be over by now
            if struck and (found := ray_cluster.at_work(event.spec.path)):
                ray_cluster.lose(ray_cluster.number_of(found[0]))

    on_event(monkeypatch, losing)
    assert main([*TASKS, "--systems", "./enc,majority", *KEPT, "--ray", ray_cluster.address]) == 0
    assert capsys.readouterr().out.count(cluster.LOST) >= 2
    names = {name for name, record in runs(alone).items() if "enc" in name or "majority" in name}
    assert runs().keys() == names and len(names) == 8
    assert_same(here / "results", alone, names)
    assert sorted(path.name for path in (here / "results" / "unfinished").iterdir()) == [".gitignore"]


def test_a_run_that_waits_for_the_largest_node_goes_to_the_next_largest_when_that_is_lost(
    here, ray_cluster, monkeypatch
):
    """It had asked for all of its memory, as one that is larger than any node does."""
    largest = 2 * max(node.memory for node in nodes_of(ray_cluster))
    monkeypatch.setattr("benchmarks.execute.sent.estimate", lambda *_: int(2 * largest))
    ray_cluster.add(memory=largest)
    begun: list[str] = []

    def losing(event):
        if not begun:
            begun.append(event.spec.path)
            ray_cluster.lose(-1, replaced=False)

    on_event(monkeypatch, losing)
    assert main([*CHEAP, "--ray", ray_cluster.address]) == 0
    assert begun and len(runs()) == 4


def test_a_killed_process_s_run_begins_anew_with_half_as_many_rows_at_once(here, ray_cluster, monkeypatch, capsys):
    killed: list[int] = []

    def killing(event):
        if event.outcome is None and not event.said and not killed:
            for process in ray_cluster.at_work("mine/enc"):
                killed.append(process.pid)
                process.kill()

    on_event(monkeypatch, killing)
    assert main([*TEXTS, "--systems", "./enc", "--seeds", "1", "--ray", ray_cluster.address]) == 0
    (found,) = runs().values()
    assert killed and found["training"]["halvings"] == 1
    assert "its process was killed: again, with half as many rows at once" in capsys.readouterr().out


def test_fail_fast_stops_the_others_and_a_failure_is_stored_with_its_traceback(here, ray_cluster):
    command = [*TEXTS, "--systems", "tfidf-svm", "--seeds", "20", "--set", "recipe.min_df=1000", "--fail-fast"]
    assert main([*command, "--ray", ray_cluster.address]) == 1
    assert 1 <= len(runs()) < 20
    error = next(iter(runs().values()))["error"]
    assert error["type"] == "ValueError" and "tfidf" in error["traceback"]


def test_a_run_that_takes_too_long_is_stopped_and_the_others_go_on(here, ray_cluster):
    command = [*TEXTS, "--systems", "./enc,majority", "--seeds", "1", "--set", "recipe.epochs=100000"]
    assert main([*command, "--timeout", "0.05", "--ray", ray_cluster.address]) == 1
    found = {record["system"].split("[")[0]: record for record in runs().values()}
    assert found["majority"]["status"] == "done"
    assert found["enc"]["error"]["type"] == "TimeoutError"
    assert found["enc"]["error"]["message"] == "took longer than the 3.0 s of --timeout"
    assert not ray_cluster.at_work("mine/enc")


def test_a_run_that_is_done_in_time_is_stored_however_late_its_head_looks(here, ray_cluster, monkeypatch):
    """The head is held up from its first word until it is done, for longer than a run may take."""
    held: list[str] = []

    def holding_up(event):
        if event.outcome is None and not event.said and not held:
            held.append(event.spec.path)
            begun = time.monotonic()
            while ray_cluster.at_work("mine/") or time.monotonic() - begun < 3.5:
                time.sleep(0.1)

    on_event(monkeypatch, holding_up)
    assert main([*CHEAP, "--timeout", "0.05", "--ray", ray_cluster.address]) == 0
    assert held and {record["status"] for record in runs().values()} == {"done"}


def test_a_run_that_another_suite_makes_on_the_same_node_has_begun_and_ends_with_the_timeout(
    here, ray_cluster, monkeypatch, capsys
):
    """It waits for the lock that the other one holds in the node's cache."""
    locks: list[ExitStack] = []
    submit = cluster._Head._submit

    def submitting(self, flight, need):
        for node in ray_cluster.folder.glob("node-*"):
            locks[0].enter_context(unfinished.claimed(node / "cache", flight.spec, wait=True))
        submit(self, flight, need)

    monkeypatch.setattr(cluster._Head, "_submit", submitting)
    with ExitStack() as held:
        locks.append(held)
        command = [*TEXTS, "--systems", "majority", "--seeds", "1", "--timeout", "0.05"]
        assert main([*command, "--ray", ray_cluster.address]) == 1
    assert "majority seed 0: started" in capsys.readouterr().out
    (found,) = runs().values()
    assert found["error"]["type"] == "TimeoutError"


def test_an_interruption_ends_all_tasks_and_keeps_what_is_stored(here, ray_cluster, monkeypatch, capsys):
    def interrupting(event):
        if event.outcome is not None:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        on_event(patch, interrupting)
        assert main([*CHEAP, "--ray", ray_cluster.address]) == 130
    assert "the same command goes on" in capsys.readouterr().out
    assert 1 <= len(runs()) < 4 and not ray_cluster.at_work("mine/")
    assert main([*CHEAP, "--ray", ray_cluster.address]) == 0
    assert len(runs()) == 4


def test_two_suites_on_one_folder_share_the_runs(here, ray_cluster):
    command = [*CHEAP, "--seeds", "12"]
    other = subprocess.Popen(
        [sys.executable, str(PROJECT / "run_all.py"), *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)}, text=True,
    )  # fmt: skip
    assert main([*command, "--ray", ray_cluster.address]) == 0
    said, _ = other.communicate(timeout=120)
    assert other.returncode == 0, said
    assert {record["status"] for record in runs().values()} == {"done"} and len(runs()) == 24


def test_runs_without_a_gpu_do_not_wait_for_those_with_one(here, ray_cluster, monkeypatch):
    """One node tells of a GPU, of which it has none: there may be three runs at a time, but one alone with a GPU."""
    ended: list[str] = []

    def ending(event):
        if event.outcome is not None:
            ended.append(event.spec.system.name)
        if len(ended) == 2:
            raise KeyboardInterrupt

    on_event(monkeypatch, ending)
    ray_cluster.add(num_gpus=1)
    try:
        assert main([*TEXTS, "--systems", "./enc,majority", "--seeds", "6", "--ray", ray_cluster.address]) == 130
    finally:
        ray_cluster.lose(-1, replaced=False)
    assert "majority" in ended


def test_runs_for_which_no_node_has_room_are_told_of_in_one_line_and_wait_for_one(
    here, ray_cluster, monkeypatch, capsys
):
    """The only node with a GPU is lost, with the run on it; the next one comes once that is told."""
    begun: list[str] = []

    def losing(event):
        if cluster.NO_ROOM in event.said:
            ray_cluster.add(num_gpus=1)
        elif not begun:
            begun.append(event.spec.path)
            ray_cluster.lose(-1, replaced=False)

    on_event(monkeypatch, losing)
    ray_cluster.add(num_gpus=1)
    assert main([*TEXTS, "--systems", "./enc", "--seeds", "2", "--ray", ray_cluster.address]) == 0
    ray_cluster.lose(-1, replaced=False)
    assert f"{cluster.NO_ROOM}, and 1 more with it\n" in capsys.readouterr().out and len(runs()) == 2


def test_more_runs_are_on_their_way_than_files_could_be_open_when_the_command_began(here, ray_cluster, monkeypatch):
    """Each has its lock open."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def lower(*_):
        there = {int(path.name) for path in Path("/dev/fd").iterdir()}
        free = [number for number in range(10_000) if number not in there]
        resource.setrlimit(resource.RLIMIT_NOFILE, (free[20], before[1]))

    monkeypatch.setattr(cluster, "AHEAD", 40)
    monkeypatch.setattr(Screen, "on_nodes", lower)
    try:
        assert main([*TEXTS, "--systems", "majority", "--seeds", "40", "--ray", ray_cluster.address]) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert len(runs()) == 40


# -- what is refused -------------------------------------------------------------------------------------------------


def test_a_node_with_other_versions_is_refused_by_name(here, ray_cluster, monkeypatch, capsys):
    own = cluster.versions()
    monkeypatch.setattr(cluster, "versions", lambda: {**own, "torch": "1.0.0"})
    assert main([*CHEAP, "--ray", ray_cluster.address]) == 2
    said = capsys.readouterr().err
    assert re.search(rf"^node [\d.]+ \(.*\): other versions .*torch {own['torch']}, on the head 1\.0\.0", said)
    assert not runs()


def test_an_address_where_nothing_is_is_one_message_within_seconds(here, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.monotonic()
    assert main([*CHEAP, "--ray", f"127.0.0.1:{port}"]) == 2
    assert time.monotonic() - begun < 20
    said = capsys.readouterr().err
    assert said.startswith(f"--ray 127.0.0.1:{port}: nothing answers there.") and said.count("\n") == 1
    assert not (here / "results").exists()


def test_auto_where_there_is_no_cluster_is_one_message(here, tmp_path):
    """In a process of its own: Ray looks for what runs on this machine, also for our own."""
    command = [sys.executable, str(PROJECT / "run_all.py"), *CHEAP[1:], "--ray", "auto"]
    environment = {**os.environ, "RAY_ADDRESS": "127.0.0.1:9", "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert re.match(r"--ray \S+: ", done.stderr) and not (here / "results").exists()


def test_a_cluster_that_asks_for_a_token_is_given_it_or_says_so(here, tmp_path, monkeypatch):
    """Started as people do. Its token is in a home of its own; without one, nobody is let in."""
    home = tmp_path / "home"
    (home / ".ray").mkdir(parents=True)
    (home / ".ray" / "auth_token").write_text("0123456789abcdef" * 4)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    friend, stranger = ({**os.environ, "HOME": str(folder)} for folder in (home, tmp_path))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = ["start", "--head", "--block", "--num-cpus", "1", "--include-dashboard=false", "--disable-usage-stats"]
    head = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", *start, "--port", str(port)],
        env={**friend, "RAY_AUTH_MODE": "token"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"127.0.0.1:{port}"
    command = [sys.executable, str(PROJECT / "run_all.py"), *CHEAP[1:], "--ray", address]
    try:
        while not answers("127.0.0.1", port) and head.poll() is None:
            time.sleep(0.1)
        refused = subprocess.run(command, env=stranger, capture_output=True, text=True, timeout=90)
        let_in = subprocess.run(command, env=friend, capture_output=True, text=True, timeout=90)
    finally:
        head.terminate()
        head.wait(30)
    assert refused.returncode == 2 and refused.stderr.startswith(f"--ray {address}: ")
    assert "token" in refused.stderr and "Traceback" not in refused.stderr
    assert let_in.returncode == 0, let_in.stderr
    assert len(runs()) == 4


NO_HOSTS = ["a..b:1", f"{'a' * 70}:1", "127.0.0.1:²"]


@pytest.mark.parametrize(
    "given", ["", "somewhere", "host:", "host:0", "host:99999", "ray://host:10001", "host:port", *NO_HOSTS]
)
def test_an_address_that_is_none_is_refused(here, given, capsys):
    assert main([*CHEAP, "--ray", given]) == 2
    assert "--ray" in capsys.readouterr().err


@pytest.mark.parametrize("given", [*NO_HOSTS, "127.0.0.1:99999", f"127.0.0.1:{'1' * 5000}", "ray://host:10001", "x"])
def test_an_address_of_the_environment_that_is_none_is_refused(here, monkeypatch, given, capsys):
    monkeypatch.setenv("RAY_ADDRESS", given)
    assert main([*CHEAP, "--ray", "auto"]) == 2
    assert f"--ray {given}: nothing answers there." in capsys.readouterr().err


@pytest.mark.parametrize("where", ["ray.init", "benchmarks.execute.sent.terms", "benchmarks.execute.cluster.send"])
def test_what_ray_itself_cannot_do_is_one_message_wherever_that_is(here, ray_cluster, monkeypatch, where, capsys):
    from ray.exceptions import AuthenticationError, ObjectStoreFullError

    def failing(*_, **__):
        raise AuthenticationError("no token") if where == "ray.init" else ObjectStoreFullError("no room\nat all")

    monkeypatch.setattr(where, failing)
    assert main([*CHEAP, "--ray", ray_cluster.address]) == 2
    said = capsys.readouterr().err
    assert said.startswith(("--ray ", "the Ray cluster can't go on: ")) and "no " in said and "at all" not in said
    assert not runs()


@pytest.mark.parametrize("beside", [["--jobs", "2"], ["--report-to", "tensorboard"]])
def test_what_can_t_stand_beside_a_cluster_is_refused(here, beside, capsys):
    assert main([*CHEAP, *beside, "--ray", "local"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("--ray: ") and beside[0] in said and not (here / "results").exists()


def test_under_a_launcher_there_is_no_cluster(here, monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.ranks.world_size", lambda: 2)
    assert main([*CHEAP, "--ray", "local"]) == 2
    assert "--ray: is for one process" in capsys.readouterr().err


def test_without_ray_the_extra_is_named(here, monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.execute.connection.find_spec", lambda name: None)
    assert main([*CHEAP, "--ray", "local"]) == 2
    assert "in the clone: pip install -c constraints.txt -e '.[ray]'" in capsys.readouterr().err


# -- one that is started here ----------------------------------------------------------------------------------------


def test_a_local_one_is_there_for_the_time_of_the_command(here):
    command = [sys.executable, str(PROJECT / "run_all.py"), *CHEAP[1:], "--ray", "local"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "RAY_AUTH_MODE": "disabled"},
    ) as done:  # fmt: skip
        out, errors = done.communicate(timeout=120)
    assert done.returncode == 0, errors
    assert not errors and not re.search(r"\(raylet\)|INFO|WARNING", out)
    assert len(runs()) == 4


# -- what a run needs ------------------------------------------------------------------------------------------------

GB = 2**30


def node(cpus: float = 8, gpus: float = 0, memory: float = 32 * GB) -> Node:
    return Node("id", "10.0.0.1", 1, cpus, gpus, memory)


def test_cores_are_shared_out_among_the_runs_but_none_gets_more_than_a_node_has():
    assert cores_of_a_run([node(8), node(8)], 100, None) == 1
    assert cores_of_a_run([node(8), node(8)], 4, None) == 4
    assert cores_of_a_run([node(16), node(4), node(0)], 1, None) == 4
    assert cores_of_a_run([node(8)], 100, "2") == 2
    assert cores_of_a_run([node(2)], 100, "16,4") == 2
    assert cores_of_a_run([], 3, None) == 1
    assert cores_of_a_run([node(8)], 4, "²") == 2


def test_a_small_run_takes_a_part_of_a_gpu_and_at_most_eight_share_one():
    assert part_of_a_gpu(30 * GB, 80 * GB) == pytest.approx(0.416, abs=0.001)
    assert part_of_a_gpu(1, 80 * GB) == 0.125
    assert part_of_a_gpu(500 * GB, 80 * GB) == part_of_a_gpu(1, 0) == 1.0


def test_as_many_runs_go_to_a_node_as_its_cores_gpus_and_memory_hold():
    assert room(Need(2, 0, GB), [node(8), node(3)]) == 5
    assert room(Need(1, 0, 20 * GB), [node(8), node(8)]) == 2
    assert room(Need(1, 0.6, GB), [node(8, gpus=2), node(8)]) == 2
    assert room(Need(1, 0.125, GB), [node(64, gpus=1)]) == 8
    assert [room(Need(1, 1 / parts, GB), [node(64, gpus=1)]) for parts in (1, 2, 4, 5)] == [1, 2, 4, 5]
    assert room(Need(1, part_of_a_gpu(1, 0), 0), [node(64, gpus=3)]) == 3
    assert room(Need(1, 0.5, GB), [node(8)]) == 0


def test_a_run_that_is_larger_than_any_node_is_tried_on_the_largest():
    nodes = [node(memory=8 * GB), node(memory=16 * GB)]
    assert room(Need(1, 0, 40 * GB), nodes) == 0
    assert room(within(Need(1, 0, 40 * GB), nodes), nodes) == 1
    nodes += [node(cpus=0, memory=64 * GB), node(gpus=1, memory=4 * GB)]
    assert room(within(Need(1, 0, 40 * GB), nodes), nodes) == 1, "one without cores makes none, however large"
    assert room(within(Need(1, 1.0, 40 * GB), nodes), nodes) == 1, "nor does one without a GPU, where it takes one"


def test_an_encoder_is_written_once_and_again_where_it_is_damaged(place, tmp_path):
    from benchmarks.encoders import checkpoint_sha256

    asked: list[int] = []
    files = lambda: asked.append(1) or packed_encoder(place / "enc")  # noqa: E731
    digest = checkpoint_sha256(place / "enc")
    folder = encoder_folder(digest, files, tmp_path)
    assert encoder_folder(digest, files, tmp_path) == folder and len(asked) == 1
    (folder / "config.json").write_text("{}")
    assert checkpoint_sha256(encoder_folder(digest, files, tmp_path)) == digest and len(asked) == 2
