"""What the documents show is what the code does and what the store gives."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import make
import prose
import pytest
import yaml
from crosschecks import compared

from benchmarks import claims, leaderboard, report, store
from benchmarks.cli import main
from benchmarks.definitions import load_claims, load_systems, load_task, load_tasks, resolved_recipe
from benchmarks.estimates import declared_rows
from benchmarks.leaderboard import overview, samples
from benchmarks.leaderboard.sections import tables
from benchmarks.recipes import RECIPES
from benchmarks.report import drawn
from benchmarks.schema import Between, Protocol, RunResult, RunSpec
from benchmarks.scoring import rescored

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")
RESULTS = PROJECT / "results"
MOST_REPORT_BYTES = 5_000_000

MINUTES = pytest.mark.timeout(1200)  # it grows with what is stored, and the machine may be a slow one
pytestmark = pytest.mark.xdist_group("committed results")  # what is computed of them once serves all of these tests


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.S | re.M)


def commands(program: str) -> list[list[str]]:
    lines = "\n".join(blocks("console")).splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith(f"{program} ")]


@pytest.mark.parametrize("arguments", commands("encoder-bench"), ids=" ".join)
def test_every_command_of_the_readme_is_one_that_the_program_takes(arguments, tmp_path, monkeypatch, capsys, request):
    """Runs as it stands, with --dry-run; what a reader has to bring (./mine.yaml, a checkpoint) is made here."""
    if "--data-dir" in arguments or arguments[0] == "fetch":
        pytest.skip("names the reader's own folder, or needs the network")
    import tiny

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENCODER_BENCH_DATA", raising=False)
    make.text_task(tmp_path)
    tiny.checkpoint(tmp_path / "my-checkpoint")
    if arguments[0] == "leaderboard":
        assert (
            main(["run", "--tasks", "./mine.yaml", "--systems", "majority", "--seeds", "1", "--data-dir", "data"]) == 0
        )
    some = {"compare": "fox-news-comments", "claims": "mit-movie"} | dict.fromkeys(
        ("report", "export"), "mit-movie-trivia"
    )
    if arguments[0] in some:  # of the committed results
        shutil.copytree(RESULTS / "runs" / some[arguments[0]], tmp_path / "results" / "runs" / some[arguments[0]])
    if arguments[0] == "leaks":
        arguments = [*arguments, "--data-dir", str(request.getfixturevalue("real_data"))]
    if arguments[0] == "run":
        _folders_of_all_tasks(tmp_path / "data")
        arguments = [*(word for word in arguments if word != "--dry-run"), "--dry-run", "--data-dir", "data"]
    assert main(arguments) == 0, capsys.readouterr().err


def _folders_of_all_tasks(data: Path) -> None:
    """Planning looks whether the files are there, and reads none of them."""
    for task in load_tasks().values():
        for files in task.source.files.values() if task.source else ():
            for file in files:
                path = data / task.source.folder / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()


def test_the_task_that_the_readme_shows_is_complete(tmp_path):
    text = next(block for block in blocks("yaml") if "splits:" in block)
    (tmp_path / "reviews.yaml").write_text(text)
    folder = tmp_path / "data" / "reviews"
    folder.mkdir(parents=True)
    for part in ("train", "test"):
        rows = [f"film {i},{1 if i % 2 else 5}" for i in range(40)]
        (folder / f"{part}.csv").write_text("\n".join(["review,stars", *rows]) + "\n")
    task = load_task(tmp_path / "reviews.yaml")
    from benchmarks.data.loading import load
    from benchmarks.data.origins import origin_of
    from benchmarks.lock import Lock

    data = load(task, origin_of(task, tmp_path / "data", {}), tmp_path / "cache", Lock())
    assert {split: len(rows) for split, rows in data.splits.items()} == {"train": 36, "validation": 4, "test": 40}


def test_the_system_that_the_readme_shows_can_be_added(tmp_path):
    text = next(block for block in blocks("yaml") if "encoder:" in block)
    (tmp_path / "systems.yaml").write_text((PROJECT / "systems.yaml").read_text() + text)
    assert set(yaml.safe_load(text)) <= set(load_systems(tmp_path / "systems.yaml"))


def test_stored_runs_are_read_with_the_lines_of_the_readme(tmp_path, monkeypatch):
    make.text_task(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--tasks", "./mine.yaml", "--systems", "majority", "--seeds", "2", "--data-dir", "data"]) == 0
    *first, last = blocks("python")[0].strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join([*first, f"shown = {last}"]), names)  # noqa: S102  the README's own lines
    assert list(names["shown"].score) == [0.5, 0.5]  # type: ignore[attr-defined]


def test_what_is_searched_stands_beside_each_method():
    def said(values: object) -> str:
        if isinstance(values, Between):
            return f"{values.low:g} to {values.high:g}"
        words = ("–".join(map(str, value)) if isinstance(value, tuple) else str(value) for value in values)
        return ", ".join(word.lower() if word in ("True", "False") else word for word in words)

    rows = {m: "; ".join(f"`{k}` {said(v)}" for k, v in r.space.items()) for m, r in RECIPES.items() if r.space}
    text = (PROJECT / "docs" / "systems.md").read_text(encoding="utf-8")
    table = "".join(f"| `{method}` | {searched} |\n" for method, searched in rows.items())
    assert text.endswith(f"| method | what is searched |\n|---|---|\n{table}")


def test_every_real_task_stands_in_the_readmes_table_of_data():
    table = README[README.index("## Where the data come from") :]
    assert [name for name, task in load_tasks().items() if not task.sample and f"`{name}`" not in table] == []


def test_the_documents_count_the_tasks_and_claims_that_there_are():
    tasks, systems = load_tasks(), load_systems()
    changes = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    counts = re.search(r"^- (\d+) tasks on published files .*?and (\d+) embedded sample corpora", changes, re.S | re.M)
    embedded = sum(task.sample is not None for task in tasks.values())
    assert counts and tuple(map(int, counts.groups())) == (len(tasks) - embedded, embedded)
    assert f"holds {len(load_claims(tasks, systems).claims)} reported results" in README


def test_every_link_between_documents_leads_somewhere():
    for document in [*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md"), *RESULTS.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


# -- committed results -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def committed(tmp_path_factory) -> Path:
    """The results as git holds them: a user's own runs lie in the same folder, and change the tables in it."""
    folder = tmp_path_factory.mktemp("committed")
    try:
        tracked = git("ls-files", "-z", "results")
        git("checkout-index", "-z", "--stdin", f"--prefix={folder}/", given=tracked)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"not a git checkout: which results are committed is not known ({error})")
    if not tracked:
        pytest.skip("this checkout has no committed results")
    (folder / "results" / samples.FOLDER).mkdir()
    return folder / "results"


def git(*arguments: str, given: str = "") -> str:
    done = subprocess.run(["git", *arguments], cwd=PROJECT, input=given, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_readmes_leaderboards_are_the_first_of_each_type_in_the_stored_one(committed):
    assert prose.with_leaderboards(README, (committed / "LEADERBOARD.md").read_text(encoding="utf-8")) == README
    assert "| minilm " in prose.TABLES.findall(README)[0]


@MINUTES
def test_every_committed_table_and_page_is_what_the_store_gives(committed, tmp_path, monkeypatch):
    """Of pictures, what they show: another machine's fonts would move a point, and none is drawn here."""
    monkeypatch.setattr(drawn, "_drawn", lambda draw, size: ("<svg></svg>", b""))
    for stored in ("runs", "leaks", "report/excerpts"):
        shutil.copytree(committed / stored, tmp_path / stored)
    shutil.copy(committed / "findings.md", tmp_path)
    (tmp_path / samples.FOLDER).symlink_to(committed / samples.FOLDER)
    leaderboard.write(tmp_path)
    tasks, systems = load_tasks(), load_systems()
    report.write(tmp_path, report.Declared(tasks, systems, load_claims(tasks, systems)))
    made, kept = _pages(tmp_path), _pages(committed)
    assert set(made) == set(kept)
    assert [name for name in made if made[name] != kept[name]] == []
    report_of = [committed / name for name in kept if name == "index.html" or name.startswith("report/")]
    assert sum(path.stat().st_size for path in report_of) < MOST_REPORT_BYTES


def _pages(folder: Path) -> dict[str, bytes]:
    tables = [folder / "LEADERBOARD.md", folder / "curves.csv", *folder.glob("leaderboards/*.md")]
    pages = [folder / "index.html", *(path for path in (folder / "report").rglob("*") if path.is_file())]
    return {path.relative_to(folder).as_posix(): _content(path) for path in (*tables, *pages)}


def _content(path: Path) -> bytes:
    """Of an SVG, what it was drawn from; of a PNG nothing: it is drawn from the same."""
    if path.suffix == ".svg":
        return drawn.content_of(path).encode()
    return b"" if path.suffix == ".png" else path.read_bytes()


def test_a_reader_who_makes_a_row_of_the_readme_again_has_the_same_numbers(
    committed, real_data, tmp_path, monkeypatch, capsys
):
    """On three of its tasks, which take the least time."""
    (given,) = (line for line in commands("encoder-bench") if line[0] == "again")
    monkeypatch.chdir(tmp_path)
    tasks = ["fox-news-comments", "letter-language", "sst2"]
    given = [str(real_data) if word == "DIR" else word for word in given]
    assert main([*given, "--tasks", ",".join(tasks), "--results-dir", str(committed)]) == 0
    told = capsys.readouterr().out.splitlines()[-len(tasks) :]
    header, *rows = [line.split("|") for line in README.splitlines() if line.startswith("| ")]
    (row,) = (row for row in rows if row[1].strip() == given[1])
    for task, line in zip(tasks, told, strict=True):
        (cell,) = (cell for name, cell in zip(header, row, strict=True) if f": {task} (" in name)
        score = cell.strip(" *").split(" ")[0].strip("*")
        assert line.split()[0] == task and line.count(f" {score} (3 seeds)") == 2 and line.endswith("the same")


def test_the_committed_cross_checks_are_of_the_stored_runs_and_nothing_differs(committed):
    text = (committed / "CROSSCHECKS.md").read_text(encoding="utf-8")
    assert compared.page(committed) == text
    assert "| the same |" in text and "| within noise |" in text
    assert compared.DIFFERS not in text and "**" not in text


@MINUTES
@pytest.mark.parametrize("document", prose.DOCUMENTS)
def test_every_number_that_names_its_source_is_what_the_store_gives(document, committed):
    text = (PROJECT / document).read_text(encoding="utf-8")
    assert prose.renewed(text, lambda source: prose.value(committed, source)) == text, "run python tests/prose.py"
    assert len(re.findall(r"\d\s*<!--", text)) == len(prose.SOURCED.findall(text)) > 5


QUOTED = {
    ".0014": "a loss in the words of S4's claims",
    ".63": "858 over 1,370 comments",
    ".446": "a search whose space was widened: its runs are replaced",
    ".60": "entropy of the share of hateful comments",
    ".459": "a row made again on a processor of another kind, which is not stored",
}


@pytest.mark.parametrize("document", ["results/README.md", "results/findings.md"])
def test_every_number_with_decimals_names_its_source(document):
    text = prose.SOURCED.sub("", (PROJECT / document).read_text(encoding="utf-8"))
    shown = re.sub(r"`[^`]*`|```.*?```", "", text, flags=re.S)
    numbers = re.findall(r"(?<![\w.])\d*\.\d+", shown)
    assert [number for number in numbers if number not in QUOTED] == []


@pytest.mark.parametrize(
    ("source", "number", "shown"),
    [
        ("fox-news-comments majority accuracy", ".1", ".7"),
        ("fox-news-comments majority accuracy", "0.111", "0.716"),
        ("fox-news-comments majority f1", ".111", ".000"),
        ("fox-news-comments/10 tfidf-svm f1", "0.111", "0.434"),
        ("p fox-news-comments minilm majority", ".1", ".0"),
        ("difference fox-news-comments majority minilm accuracy", "−.1", "−.0"),
        ("runs nothing", "7", "0"),
        ("reported S3-bert token_f1_micro %", "1.1", "94.4"),
        ("reported S3-bert token_f1_micro", ".11", ".94"),
    ],
)
def test_a_number_is_written_as_the_text_has_it(source, number, shown, committed):
    text = f"F1 {number}<!-- {source} -->."
    assert prose.renewed(text, lambda said: prose.value(committed, said)) == f"F1 {shown}<!-- {source} -->."


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("mit-movie minilm-x f1", "nothing is stored of"),
        ("mit-movie minilm f1", "nothing is stored of"),
        ("mit-movie minilm no_metric", "nothing is stored of"),
        ("fox-news-comments/10 tfidf-svm accuracy", "nothing is stored of"),
        ("reported S3-bert accuracy", "nothing is reported of"),
        ("reported S3-bert token_f1_micro percent", "nothing is reported of"),
    ],
)
def test_a_source_that_gives_no_number_is_told(source, said, committed):
    with pytest.raises(ValueError, match=f"{said} '{source}'"):
        prose.value(committed, source)


@pytest.mark.parametrize("task", sorted(path.stem for path in RESULTS.glob("leaderboards/*.md")))
def test_the_commands_below_a_committed_table_make_its_runs_and_no_others(task, committed, real_data, capsys):
    path = committed / overview.path(task)
    if not path.exists():
        pytest.skip("a task of your own: its page is not committed")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("encoder-bench run ")]
    places = {"DIR": str(real_data), "again": str(committed)}
    planned = 0
    assert all("--results-dir again --data-dir DIR" in line for line in lines)
    for line in lines:
        given = [places.get(word, word) for word in shlex.split(line)[1:]]
        assert main([*given, "--dry-run"]) == 0, capsys.readouterr().err
        said = re.match(r"([\d,]+) runs?: .* 0 to make", capsys.readouterr().out)
        assert said, line
        planned += int(said[1].replace(",", ""))
    (page,) = tables(list(store.read_runs(committed, task)))
    rows = [row for section in page.sections for row in (*section.rows, *section.clusterings)]
    twins = sum(len(section.twins) for section in page.sections)
    assert rows and (planned == sum(row.runs for row in rows) or twins)


def test_the_committed_verdicts_are_what_the_store_gives(committed):
    tasks, systems = load_tasks(), load_systems()
    text = (committed / "CLAIMS.md").read_text(encoding="utf-8")
    claims.write(committed, load_claims(tasks, systems), tasks, systems)
    assert (committed / "CLAIMS.md").read_text(encoding="utf-8") == text


@MINUTES
def test_every_committed_run_has_its_predictions_and_its_metrics_are_theirs(committed):
    for run in store.read_runs(committed):
        if run.status == "done":
            found = rescored(committed, run)  # metrics that are newer than the run are none of its record's
            assert {name: found[name] for name in run.metrics} == pytest.approx(run.metrics, abs=1e-9), run.key


def test_a_plan_counts_on_the_rows_that_stored_runs_had(committed):
    """Of every task, size, fold and fallback of the committed results."""
    tasks, systems = load_tasks(), load_systems()
    off, runs = set(), 0
    for run in store.read_runs(committed):
        if isinstance(run, RunResult) and not run.protocol.get("balanced"):
            system = systems[run.system.partition("[")[0]]
            recipe = resolved_recipe(system, run.type)
            spec = RunSpec(tasks[run.task], system, recipe, Protocol(**run.protocol), run.identity_)
            rows, used = declared_rows(spec), run.data["used"]
            runs += 1
            if abs(rows.trained - used["train"]) > 1 or abs(rows.tested - used["test"]) > 1:
                off.add((run.task, rows, used["train"], used["test"]))
    assert runs > 1000 and off == set()


def test_what_is_committed_has_three_repetitions_or_is_said_to_have_one(committed):
    """Folds count as repetitions. A claim's single run (S2 on `huffpost-33`) stands in results/README.md as one."""
    repetitions = Counter()
    for run in store.read_runs(committed):
        protocol = Protocol(**{**run.protocol, "seed": 0, "fold": None})
        repetitions[run.task, run.system, protocol] += 1
    assert repetitions.total() > len(repetitions) * 3
    few = {(task, system) for (task, system, _), runs in repetitions.items() if runs < 3}
    assert {task for task, _ in few} <= {"huffpost-33"}


def test_no_committed_run_stands_under_an_entrys_name_with_another_encoder(committed):
    systems, seen = load_systems(), set()
    for run in store.read_runs(committed):
        declared = systems[run.system].encoder if run.system in systems else None
        if declared is not None:
            seen.add(run.system)
            here = {"sha256": declared.sha256} if declared.sha256 else {"hub": declared.checkpoint}
            assert run.identity_["encoder"].items() >= here.items(), run.key
    assert seen >= {"minilm", "minilm-frozen", "sbert-softmax"}


def test_every_committed_run_is_done_or_its_failure_stands_on_its_page(committed):
    failures = [run for run in store.read_runs(committed) if run.status == "failed"]
    for run in failures:
        page = (committed / overview.path(run.task)).read_text(encoding="utf-8")
        assert f"{run.system} seed {run.seed}" in page, run.key


def test_no_committed_result_holds_a_path_of_the_machine_that_made_it(committed):
    """An absolute path begins a value (in a record's traceback: is quoted), or is somebody's folder within a text."""
    path = re.compile(r'"/|"~/|"[A-Za-z]:\\\\|/(?:home|Users|root|tmp|work)/')
    texts = [path for path in (*committed.rglob("*.json"), *committed.rglob("*.md")) if "excerpts" not in path.parts]
    found = {file.name: match[0] for file in texts if (match := path.search(file.read_text(encoding="utf-8")))}
    assert texts and not found
