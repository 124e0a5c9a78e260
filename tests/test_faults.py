"""What goes wrong around a run costs that run at most: killed, hanging and crashing workers, memory, disks, others."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jobs
import make
import pytest
import tiny
from cores import own_core

from benchmarks import environment as machine
from benchmarks import methods, ranks, store, unfinished
from benchmarks.cli import main
from benchmarks.cli.arguments import parse
from benchmarks.cli.grid import planned
from benchmarks.cli.screen import Screen
from benchmarks.data.loading import TaskData, load
from benchmarks.data.origins import origin_of
from benchmarks.definitions import load_task
from benchmarks.execute import here as one_after_the_other
from benchmarks.execute import making, pool, shares
from benchmarks.execute.prepare import Options
from benchmarks.execute.shares import Place
from benchmarks.execute.worker import Order, Worker
from benchmarks.files import replacing, replacing_folder
from benchmarks.lock import Lock
from benchmarks.recipes import Finetune
from benchmarks.runner import failure, run
from benchmarks.schema import Protocol, RunFailure, RunSpec
from benchmarks.selection import from_checkpoint
from benchmarks.shortage import eval_batch

PROJECT = Path(__file__).parent.parent
RUN = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--seeds", "2"]


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENCODER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    make.text_task(tmp_path)
    return tmp_path


@pytest.fixture
def one_worker(monkeypatch) -> None:
    monkeypatch.setattr(shares, "places", lambda jobs, taken: [Place((own_core(),))])


def records(results: Path = Path("results")) -> dict[str, dict]:
    """Every stored run by system and seed."""
    found = [json.loads(path.read_text()) for path in sorted(results.glob("runs/*/*/*.json"))]
    return {f"{record['system']} {record['seed']}": record for record in found}


def left_of(path: Path) -> Path:
    """What a process leaves that is killed while it writes the file."""
    kept = []
    with suppress(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half of it")
        kept.append(temporary.rename(path.with_name("aside")))
        raise KeyboardInterrupt
    return kept[0].rename(temporary)


def on_begin(monkeypatch, name: str, number: signal.Signals, times: int = 1) -> list[str]:
    """Sends the signal to every worker when it has begun a run of this system, so many times; gives what was hit."""
    tell, hit = Screen.tell, []

    def telling(self, event):
        tell(self, event)
        if event.spec.system.name == name and event.outcome is None and not event.said and len(hit) < times:
            hit.append(event.spec.key)
            for child in multiprocessing.active_children():
                os.kill(child.pid, number)

    monkeypatch.setattr(Screen, "tell", telling)
    return hit


# -- workers ---------------------------------------------------------------------------------------------------------


def test_a_killed_worker_s_run_begins_anew_with_half_as_many_rows_at_once(here, one_worker, monkeypatch, capsys):
    hit = on_begin(monkeypatch, "enc", signal.SIGKILL)
    command = [*RUN, "--systems", f"{tiny.checkpoint(here / 'enc')},majority", "--jobs", "2"]
    assert main(command) == 0
    found = records()
    assert {record["status"] for record in found.values()} == {"done"} and len(found) == 4
    (hit_run,) = (record for record in found.values() if record["key"] in hit)
    assert hit_run["training"]["halvings"] == 1
    assert hit_run["training"]["micro_batch"] == hit_run["recipe"]["batch_size"] // 2
    assert sum("halvings" in record["training"] for record in found.values()) == 1
    assert "was killed by SIGKILL: again, with half as many rows at once" in capsys.readouterr().out


KILLED_WHERE_IT_STORES = """\
import os, signal, sys

def struck(event, given):
    if event == "os.mkdir" and str(given[0]).endswith("/runs/mine/majority"):
        try:
            os.close(os.open("struck", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(struck)
"""


def test_a_run_that_is_killed_again_and_again_fails_alone_and_is_retried_by_the_same_command(
    here, one_worker, monkeypatch, capsys
):
    command = [*RUN, "--systems", "majority,tfidf-nb", "--jobs", "2"]
    (here / "sitecustomize.py").write_text(KILLED_WHERE_IT_STORES)
    with monkeypatch.context() as patch:
        patch.setenv("PYTHONPATH", str(here))
        assert main(command) == 1
    failed = [record for record in records().values() if record["status"] == "failed"]
    assert [record["system"] for record in failed] == ["majority"] and len(records()) == 4  # no batch to be smaller
    assert "SIGKILL" in failed[0]["error"]["message"] and "--jobs" in failed[0]["error"]["message"]
    assert "SIGKILL" in capsys.readouterr().err
    assert main(command) == 0
    assert {record["status"] for record in records().values()} == {"done"}


def test_a_crash_is_a_stored_failure_with_the_worker_s_last_words(here, one_worker, monkeypatch):
    on_begin(monkeypatch, "enc", signal.SIGSEGV)
    command = [*RUN, "--seeds", "1", "--systems", f"{tiny.checkpoint(here / 'enc')},majority", "--jobs", "2"]
    assert main(command) == 1
    found = records()
    assert found["majority 0"]["status"] == "done"
    error = found["enc 0"]["error"]
    assert "was killed by SIGSEGV" in error["message"]
    assert "Fatal Python error: Segmentation fault" in error["printed"] and "File " in error["printed"]


@pytest.mark.parametrize("frames", [3, 100])
def test_the_last_words_of_a_crash_are_where_it_began_however_deep_it_was(tmp_path, frames):
    deep = '  File "parser.py", line 1 in parse\n' * frames
    output = tmp_path / "printed"
    worker = Worker(Place((0,)), None, None, output)  # type: ignore[arg-type]
    assert worker.printed == ""
    output.write_text("epoch\n" * 1000)
    assert worker.printed == ("epoch\n" * 1000)[-4000:]
    with output.open("a") as file:
        file.write("what(): an assert of the GPU\nFatal Python error: Aborted\n\n")
        file.write(f'  File "at.py", line 9 in fault\n{deep}')
        file.write(f"Extension modules: {', '.join(['numpy.core._multiarray_umath'] * 100)}\n")
    assert 'assert of the GPU\nFatal Python error: Aborted\n\n  File "at.py", line 9 in fault\n' in worker.printed
    assert 4000 < len(worker.printed) < 8100


def test_a_run_that_hangs_is_stopped_after_its_time_and_the_others_go_on(here, one_worker, monkeypatch, capsys):
    on_begin(monkeypatch, "enc", signal.SIGSTOP)
    alive = []
    look = pool.made_since
    monkeypatch.setattr(
        pool, "made_since", lambda *given: alive.append(multiprocessing.active_children()) or look(*given)
    )
    command = [*RUN, "--seeds", "1", "--systems", f"{tiny.checkpoint(here / 'enc')},majority"]
    assert main([*command, "--timeout", "0.05"]) == 1
    found = records()
    assert found["majority 0"]["status"] == "done"
    assert found["enc 0"]["error"]["type"] == "TimeoutError"
    assert found["enc 0"]["error"]["message"] == "took longer than the 3.0 s of --timeout"
    assert alive == [[]], "nobody stores the run after it was looked whether it is stored"
    assert not multiprocessing.active_children()


def test_a_run_has_its_time_from_its_own_beginning(here, one_worker, monkeypatch):
    now, tell = SimpleNamespace(seconds=0.0), Screen.tell

    def telling(self, event):
        now.seconds += 25.0 * (
            event.outcome is None and event.share == 0
        )  # each run's time, of which three are too long
        tell(self, event)

    monkeypatch.setattr(Screen, "tell", telling)
    monkeypatch.setattr(pool, "time", SimpleNamespace(monotonic=lambda: now.seconds))
    assert main([*RUN, "--systems", "majority,tfidf-nb", "--timeout", "1", "--seeds", "3"]) == 0
    assert now.seconds == 6 * 25


@pytest.mark.parametrize("given", ["0", "-1", "soon", "nan", "inf", ""])
def test_a_time_that_is_none_is_refused(here, given, capsys):
    assert main([*RUN, "--timeout", given]) == 2
    assert "expected minutes, a number above 0" in capsys.readouterr().err
    if given != "0":
        assert main([*RUN, "--checkpoint-minutes", given]) == 2
        assert "expected minutes, a number from 0" in capsys.readouterr().err
    assert not (here / "results").exists()


def test_what_a_worker_prints_does_not_reach_the_screen(here, one_worker, capfd, monkeypatch):
    (here / "sitecustomize.py").write_text("import atexit\natexit.register(print, 'LOUD', flush=True)\n")
    monkeypatch.setenv("PYTHONPATH", str(here))
    assert "LOUD" in subprocess.run([sys.executable, "-c", ""], capture_output=True, text=True, check=True).stdout
    assert main([*RUN, "--systems", "majority", "--jobs", "2"]) == 0
    said = capfd.readouterr()
    assert "LOUD" not in said.out + said.err


# -- memory ----------------------------------------------------------------------------------------------------------


def without_memory(error: Exception, times: int):
    """A method that runs out of memory until its batches are small enough, and what each try was given."""
    given: list[int] = []

    def method(job):
        given.append(job.halvings)
        if job.halvings < times:
            raise error
        return job.predictions([0] * len(job.data.test))

    return method, given


def fine_tuning(folder: Path) -> tuple[RunSpec, TaskData]:
    task = load_task(folder / "mine.yaml")
    spec = RunSpec(task, from_checkpoint("./enc"), Finetune(batch_size=12), Protocol(), {})
    return spec, load(task, origin_of(task, folder / "data", {}), folder / "tables", Lock())


def shortage(kind: str) -> Exception:
    import torch

    texts = {
        "cublas": "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cudnn": "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "mapped file": "unable to mmap 100 bytes from file </a>: Cannot allocate memory (12)",
    }
    if kind in texts:
        return RuntimeError(texts[kind])
    if kind == "gpu":
        return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
    if kind == "gpu, at a later call":
        return torch.AcceleratorError("CUDA error: out of memory")
    if kind == "system":
        return OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    if kind == "numpy":
        return MemoryError("Unable to allocate 7 PiB")
    try:
        torch.empty(2**60)
    except RuntimeError as error:
        return error
    raise AssertionError("this machine has memory for everything")


@pytest.mark.parametrize(
    "kind", ["gpu", "gpu, at a later call", "cublas", "cudnn", "processor", "mapped file", "system", "numpy"]
)
def test_a_run_without_memory_begins_anew_until_its_batches_are_small_enough(here, kind):
    spec, data = fine_tuning(here)
    method, given = without_memory(shortage(kind), 3)
    result, _ = run(spec, data, None, here, method=method)
    assert result.status == "done" and given == [0, 1, 2, 3]


def test_a_run_that_not_even_one_row_at_a_time_has_memory_for_has_failed(here):
    spec, data = fine_tuning(here)
    method, given = without_memory(shortage("gpu"), 99)
    result, _ = run(spec, data, None, here, method=method)
    assert result.status == "failed" and result.error["type"] == "OutOfMemoryError"
    assert given == list(range(7)), "of 64 rows that are predicted at once, one is left"


@pytest.mark.parametrize(
    "said", ["the size of tensor a must match", "CUBLAS_STATUS_NOT_SUPPORTED", ValueError("an error in an error"), 3]
)
def test_another_error_is_not_tried_again(here, said):
    spec, data = fine_tuning(here)
    method, given = without_memory(RuntimeError(said), 99)
    assert run(spec, data, None, here, method=method)[0].status == "failed"
    assert given == [0]


def test_halving_halves_what_is_trained_and_what_is_predicted_at_once(here, monkeypatch):
    from benchmarks.methods.pieces import PieceCollator

    sizes, collate = [], PieceCollator.__call__
    monkeypatch.setattr(PieceCollator, "__call__", lambda self, rows: sizes.append(len(rows)) or collate(self, rows))
    encoder = tiny.checkpoint(here / "enc")
    job = jobs.job(here, encoder, Finetune(batch_size=12, epochs=1))
    finetune = methods.load("finetune")
    finetune(job)
    assert sizes == [*[12] * 5, 60]
    sizes.clear()
    finetune(replace(job, halvings=2))
    assert sizes == [*[3] * 20, 16, 16, 16, 12]
    assert [eval_batch(halvings) for halvings in range(8)] == [64, 32, 16, 8, 4, 2, 1, 1]


# -- a GPU that is lost ----------------------------------------------------------------------------------------------

ASSERTED = RuntimeError("CUDA error: device-side assert triggered")


@pytest.fixture
def gpu(monkeypatch) -> SimpleNamespace:
    """A GPU that the suite's own process uses; `lost`: each call on it fails."""
    import torch

    state = SimpleNamespace(lost=False)

    def synchronize():
        if state.lost:
            raise ASSERTED
        return "a GPU"

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    monkeypatch.setattr(torch.cuda, "get_device_name", synchronize)
    return state


@pytest.mark.parametrize("lost", [True, False])
def test_after_a_run_that_loses_the_gpu_a_new_process_makes_the_rest(here, one_worker, gpu, monkeypatch, capsys, lost):
    made = []

    def running(spec, *rest, **more):
        made.append(spec)
        if len(made) != 2:
            return run(spec, *rest, **more)
        gpu.lost = lost
        return failure(spec, ASSERTED), None

    monkeypatch.setattr(making, "run", running)
    assert main([*RUN, "--systems", "majority,tfidf-nb"]) == 1
    assert len(made) == (2 if lost else 4), "in the suite's own process"
    assert sorted(record["status"] for record in records().values()) == ["done", "done", "done", "failed"]
    assert ("a new one makes the rest" in capsys.readouterr().out) == lost


def test_a_failure_is_stored_though_the_gpu_does_not_tell_its_name_any_more(gpu, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert machine.environment(1, "fp32")["device"] == "a GPU"
    gpu.lost = True
    assert machine.environment(1, "fp32")["device"] == "a GPU that is lost"


def test_a_rank_that_has_lost_its_gpu_ends_the_launch(gpu, monkeypatch):
    class EndedError(Exception):
        pass

    def end(why):
        raise EndedError(why)

    monkeypatch.setattr(ranks, "end", end)
    gpu.lost = True
    runs = [SimpleNamespace(path=f"mine/enc/{number}") for number in range(2)]
    storing = SimpleNamespace(processes=2, make=lambda spec, wait: RunFailure.model_construct())
    with pytest.raises(EndedError, match="rank 0: mine/enc/0 has failed, and the GPU answers nothing any more"):
        list(one_after_the_other._failures(runs, storing))


def test_a_process_that_uses_no_gpu_has_lost_none(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: pytest.fail("would begin to use one"))
    assert not one_after_the_other.gpu_is_lost()


# -- the disk --------------------------------------------------------------------------------------------------------


LIMITED = """
import resource, sys
from benchmarks.cli import main
from benchmarks.execute import storing

save = storing.store.save
def full(*given):
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    save(*given)
stored = []
def saving(*given):
    stored.append(given)
    (full if len(stored) == 2 else save)(*given)
storing.store.save = saving
sys.exit(main(sys.argv[1:]))
"""


def test_a_full_disk_is_one_message_and_what_is_stored_stays(here):
    """A limit on the size of a file stands for the disk's: the system refuses the same call."""
    command = [*RUN, "--systems", "majority,tfidf-nb"]
    done = subprocess.run([sys.executable, "-c", LIMITED, *command], capture_output=True, text=True, env=environment())
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r".*\.parquet: can't be written: .*File too large\.\n", done.stderr), done.stderr
    assert len(records()) == 1
    assert main(command) == 0
    assert len(records()) == 4 and not list((here / "results").rglob("*.part"))


def test_a_worker_tells_of_a_full_disk(here, one_worker, capsys, monkeypatch):
    """The folder of a run's results is a file: the same as a disk that takes nothing, also for the user who may all."""
    folder = here / "results" / "runs" / "mine"
    folder.mkdir(parents=True)
    (folder / "majority").write_text("")
    assert main([*RUN, "--systems", "majority,tfidf-nb", "--jobs", "2"]) == 2
    assert re.search(r"can't be written: (File exists|Not a directory)\.\n$", capsys.readouterr().err)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_can_not_be_stored_is_the_same_message_from_a_worker_as_from_here(here, one_worker, capsys, jobs):
    """A file stands where the run's model is to be a folder: that shows when it is trained."""
    command = [*RUN, "--systems", f"{tiny.checkpoint(here / 'enc')}", "--set", "recipe.epochs=1", "--seeds", "1"]
    assert main(command) == 0
    (key,) = (record["key"] for record in records().values())
    (here / "results" / "models" / "mine" / "enc[epochs=1]").mkdir(parents=True)
    (model,) = (here / "results" / "models" / "mine").glob("*")
    (model / key).write_text("a file")
    assert main([*command, "--keep-models", "--jobs", jobs]) == 2
    assert capsys.readouterr().err.endswith(f"{model / key}: can't be written: Not a directory.\n")
    assert records()["enc[epochs=1] 0"]["status"] == "done"


def test_a_failure_is_not_stored_over_what_another_suite_is_making(here):
    (spec,) = planned(parse([*RUN, "--systems", "majority", "--seeds", "1"]), Lock())[0].runs
    worker = SimpleNamespace(order=Order(spec), killed=False, end="ended with exit code 1", printed="")
    prepared = SimpleNamespace(options=Options())
    results = here / "results"
    with unfinished.claimed(results, spec, wait=False):
        event = pool._ended(SimpleNamespace(prepared=prepared), worker, pool._Ended(), results)
    assert isinstance(event.outcome, RunFailure) and not records()
    worker.order = Order(spec)
    pool._ended(SimpleNamespace(prepared=prepared), worker, pool._Ended(), results)
    assert records()["majority 0"]["status"] == "failed"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT)}


# -- others ----------------------------------------------------------------------------------------------------------


def suites(count: int, *command: str) -> list[subprocess.Popen]:
    line = [sys.executable, str(PROJECT / "run_all.py"), *command[1:]]
    return [
        subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment())
        for _ in range(count)
    ]


def test_two_suites_at_once_on_one_folder_share_the_runs(here):
    command = [*RUN, "--systems", f"{tiny.checkpoint(here / 'enc')},majority,tfidf-nb", "--seeds", "3"]
    assert main([*command, "--results-dir", "alone"]) == 0
    both = suites(2, *command)
    said = [suite.communicate(timeout=240)[0] for suite in both]
    assert [suite.returncode for suite in both] == [0, 0], said
    alone, shared = records(Path("alone")), records()
    assert alone.keys() == shared.keys()
    for name, record in alone.items():
        assert shared[name]["metrics"] == record["metrics"]
    assert not list((here / "results").rglob("*.part")) and not list((here / "results").rglob("*.lock"))
    boards = [Path(folder, "LEADERBOARD.md").read_text() for folder in ("alone", "results")]
    assert boards[0].count("\n") == boards[1].count("\n")


def test_a_run_that_another_process_makes_is_waited_for_and_not_made_twice(here, monkeypatch, capsys):
    """The other one holds the first run's lock, and stores its result before it lets it go."""
    assert main([*RUN, "--systems", "majority", "--results-dir", "other", "--seeds", "1"]) == 0
    (record,) = (here / "other" / "runs").glob("*/*/*.json")
    with maker(here, record.stem, "runs") as other:
        tell, told = Screen.tell, []

        def telling(self, event):
            tell(self, event)
            told.append((event.spec.system.name, bool(event.outcome), event.said))
            if event.spec.system.name == "tfidf-nb" and event.outcome:
                other.stdin.write("go on\n")
                other.stdin.flush()

        monkeypatch.setattr(Screen, "tell", telling)
        made = []
        monkeypatch.setattr(making, "run", lambda spec, *rest, **more: made.append(spec) or run(spec, *rest, **more))
        assert main([*RUN, "--systems", "majority,tfidf-nb", "--seeds", "1"]) == 0
    assert told[0] == ("majority", False, "another process is making it: later")
    assert told[-1] == ("majority", True, "")
    assert [spec.system.name for spec in made] == ["tfidf-nb"]
    assert next((here / "results" / "runs").glob("*/majority/*.json")).read_bytes() == record.read_bytes()


def test_a_trial_that_another_search_makes_is_waited_for_and_not_made_twice(here, monkeypatch):
    command = [*RUN, "--systems", "tfidf-svm", "--seeds", "1", "--tune", "2"]
    assert main([*command, "--results-dir", "other"]) == 0
    trial, *_ = sorted((here / "other" / "trials").glob("*/*/*.json"))
    with maker(here, f"{unfinished.TRIAL}{trial.stem}", "trials") as other:
        progress = Screen.tell

        def telling(self, event):
            progress(self, event)
            if other.poll() is None and not other.stdin.closed:
                other.stdin.close()  # the search has begun: the other one stores what it has, and lets go

        monkeypatch.setattr(Screen, "tell", telling)
        made = []
        monkeypatch.setattr(making, "run", lambda spec, *rest, **more: made.append(spec) or run(spec, *rest, **more))
        assert main(command) == 0
    assert made and trial.stem not in [spec.key for spec in made if spec.trial]


@contextmanager
def maker(here: Path, name: str, part: str) -> Iterator[subprocess.Popen]:
    """Another process that holds a lock until it reads a line, and then has stored that part of the results `other`."""
    lock = here / "results" / unfinished.FOLDER / f"{name}.lock"
    held = f"""
import shutil, sys, time
from pathlib import Path
from filelock import FileLock
Path({str(lock.parent)!r}).mkdir(parents=True)
lock = FileLock({str(lock)!r})
lock.acquire()
print("held", flush=True)
sys.stdin.readline()
time.sleep(1)
shutil.copytree({str(here / "other" / part)!r}, {str(here / "results" / part)!r}, dirs_exist_ok=True)
lock.release()
"""
    with subprocess.Popen(
        [sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        yield other


def test_made_again_by_force_is_made_again_unless_somebody_has_meanwhile(here, monkeypatch):
    command = [*RUN, "--systems", "majority", "--seeds", "1"]
    assert main(command) == 0
    made = []
    monkeypatch.setattr(making, "run", lambda spec, *rest, **more: made.append(spec) or run(spec, *rest, **more))
    assert main([*command, "--force"]) == 0 and len(made) == 1
    claimed = unfinished.claimed

    def meanwhile(results, spec, wait):
        path = store.path_of(results, spec)
        path.with_suffix(".new").write_bytes(path.read_bytes())
        path.with_suffix(".new").replace(path)
        return claimed(results, spec, wait)

    monkeypatch.setattr(unfinished, "claimed", meanwhile)
    assert main([*command, "--force"]) == 0 and len(made) == 1


def test_what_a_killed_process_left_of_a_run_is_removed_when_it_is_made(here):
    command = [*RUN, "--systems", "majority", "--seeds", "1"]
    assert main(command) == 0
    (record,) = (here / "results" / "runs").glob("*/*/*.json")
    record.unlink()
    for name in (record.name, record.with_suffix(".parquet").name):
        left_of(record.parent / name)
    other = record.parent / ".somebody-elses-0011aabb.part"
    other.write_text("")
    assert main(command) == 0
    assert list(record.parent.glob(".*")) == [other]


def test_what_a_killed_process_left_of_a_model_is_removed_when_the_run_is_made(here):
    command = [*RUN, "--systems", str(tiny.checkpoint(here / "enc")), "--seeds", "1", "--keep-models"]
    assert main(command) == 0
    (model,) = (here / "results" / "models").glob("*/*/*")
    left = []
    with suppress(KeyboardInterrupt), replacing_folder(model) as temporary:
        left = [temporary.with_suffix(suffix) for suffix in (".part", ".old")]
        raise KeyboardInterrupt
    for folder in left:
        folder.mkdir()
        (folder / "model.safetensors").write_text("half of it")
    assert main([*command, "--force"]) == 0
    assert (model / "model.safetensors").is_file() and list(model.parent.iterdir()) == [model]


@pytest.mark.parametrize("folder", ["", "leaderboards", "report/excerpts/mine", ".cache", unfinished.FOLDER])
def test_what_a_killed_process_left_of_a_page_is_removed_when_pages_are_written(here, folder):
    command = [*RUN, "--systems", "majority", "--seeds", "1"]
    assert main(command) == 0
    left = here / "results" / folder / ".a-page-0011aabb.part"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_text("half of it")
    assert main(command) == 0 and not left.exists()


def test_what_is_left_of_a_run_that_was_stored_is_removed_and_that_of_others_stays(here):
    """The process was killed between the two."""
    command = [*RUN, "--systems", "majority", "--seeds", "1"]
    assert main(command) == 0
    (record,) = (here / "results" / "runs").glob("*/*/*.json")
    left = here / "results" / unfinished.FOLDER
    for name in (record.stem, f"trial-{record.stem}", "seed0_train-all_0123"):
        (left / name / "halved-0").mkdir(parents=True)
        (left / f"{name}.lock").touch()
    assert main(command) == 0
    assert sorted(path.name for path in left.iterdir()) == [
        ".gitignore", "seed0_train-all_0123", "seed0_train-all_0123.lock",
        f"trial-{record.stem}", f"trial-{record.stem}.lock",
    ]  # fmt: skip


def test_checkpoints_are_gone_once_a_run_has_an_outcome(here):
    encoder = tiny.checkpoint(here / "enc")
    command = [*RUN, "--systems", str(encoder), "--seeds", "1", "--set", "recipe.epochs=8"]
    assert main([*command, "--checkpoint-minutes", "1e-9"]) == 0
    assert sorted(path.name for path in (here / "results" / unfinished.FOLDER).iterdir()) == [".gitignore"]


def test_the_same_command_goes_on_from_a_checkpoint(here, monkeypatch):
    encoder = tiny.checkpoint(here / "enc")
    command = [*RUN, "--systems", str(encoder), "--seeds", "1", "--set", "recipe.epochs=8", "--set"]
    command += ["recipe.batch_size=8", "--checkpoint-minutes", "1e-9"]
    assert main([*command, "--results-dir", "alone"]) == 0
    tell = Screen.tell

    def interrupting(self, event):
        tell(self, event)
        if 0.5 < event.share < 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Screen, "tell", interrupting)
        assert main(command) == 130
    assert not records()
    assert main(command) == 0
    (found,), (alone,) = records().values(), records(Path("alone")).values()
    assert 0 < found["training"]["resumed"][0] < found["training"]["steps"]
    assert found["metrics"] == alone["metrics"] and found["training"]["losses"] == alone["training"]["losses"]


def test_a_limit_on_open_files_or_a_clock_that_is_set_back_harms_nothing(here, monkeypatch):
    """Durations are of a clock that nobody sets; stored times order nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        command = [*RUN, "--systems", "majority,tfidf-nb"]
        assert main(command) == 0
        for path in (here / "results").rglob("*.json"):
            os.utime(path, (2**32, 2**32))  # as if all was stored in the year 2106
        assert main(command) == 0
        assert main([*command, "--force"]) == 0
        assert len(records()) == 4
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_a_killed_process_left_of_a_trial_is_removed_when_it_is_made(here):
    command = [*RUN, "--systems", "tfidf-svm", "--seeds", "1", "--tune", "2"]
    assert main(command) == 0
    trial, *_ = sorted((here / "results" / "trials").glob("*/*/*.json"))
    left_of(trial)
    for stored in (here / "results").rglob("*.json"):
        stored.unlink()
    assert main(command) == 0
    assert trial.is_file() and not list((here / "results").rglob("*.part"))
    assert [path.name for path in (here / "results" / unfinished.FOLDER).iterdir()] == [".gitignore"]
