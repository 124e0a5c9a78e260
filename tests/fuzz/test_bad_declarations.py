"""Task, system and claims files of any content give declarations, or one message that names the file."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from bad import accepted_or_told, changed, damaged, inputs
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import claims
from benchmarks.data.foreseen import check_declared
from benchmarks.data.origins import origin_of
from benchmarks.definitions import PROJECT, load_claims, load_systems, load_task, load_tasks, read_scalar, task_files
from benchmarks.encoders import locate
from benchmarks.errors import UserError
from benchmarks.schema import Protocol, fingerprint

TASKS = [path.read_bytes() for path in task_files().values()]
SYSTEMS, CLAIMS = ((PROJECT / name).read_bytes() for name in ("systems.yaml", "claims.yaml"))


@cache
def tree(content: bytes) -> Any:
    return yaml.load(content, yaml.CSafeLoader)


def dumped(content: Any) -> bytes:
    return yaml.dump(content, Dumper=yaml.CSafeDumper, allow_unicode=True).encode("utf-8", "surrogatepass")


def files_like(content: bytes) -> st.SearchStrategy[bytes]:
    return st.one_of(
        damaged(content), changed(tree(content)).map(dumped), changed(tree(content)).map(dumped).flatmap(damaged)
    )


def few_entries(content: bytes, entries: int = 3) -> st.SearchStrategy[bytes]:
    """Files of some of the entries: a bad one among many is told as among few, and sooner."""
    whole = tree(content)
    inside = whole.get("claims", whole)
    names = st.lists(st.sampled_from(sorted(inside)), min_size=1, max_size=entries, unique=True)

    def of(chosen: list[str]) -> bytes:
        own = {name: inside[name] for name in chosen}
        return dumped({"sources": whole["sources"], "claims": own} if "claims" in whole else own)

    return names.map(of)


def use_task(path: Path) -> None:
    """What becomes of a task that is declared."""
    task = load_task(path)
    fingerprint(task.identity())
    origin_of(task, path.parent, {})


def use_systems(path: Path) -> None:
    for system in load_systems(path).values():
        fingerprint(system.identity())
        if system.encoder:
            accepted_or_told(lambda found=system.encoder: locate(found, {}))


@cache
def declared():
    return load_tasks(), load_systems()


def use_claims(path: Path) -> None:
    tasks, systems = declared()
    reported = load_claims(tasks, systems, path)
    for claim in reported.claims.values():
        accepted_or_told(lambda found=claim: check_declared(tasks[found.task], Protocol(**found.protocol)))
    claims.write(path.parent / "results", reported, tasks, systems)


def tried(use, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "some.yaml")
        path.write_bytes(content)
        accepted_or_told(lambda: use(path))


@inputs(3)
@given(st.sampled_from(TASKS).flatmap(files_like))
def test_a_task_file_of_any_content_is_a_task_or_one_message(content):
    tried(use_task, content)


@inputs(2)
@given(few_entries(SYSTEMS).flatmap(files_like))
def test_a_file_of_systems_of_any_content_gives_systems_or_one_message(content):
    tried(use_systems, content)


@inputs(2)
@given(few_entries(CLAIMS).flatmap(files_like))
def test_a_file_of_claims_of_any_content_gives_claims_or_one_message(content):
    tried(use_claims, content)


@inputs(0.1)
@given(st.one_of(damaged(SYSTEMS), damaged(CLAIMS)))
def test_the_committed_files_once_damaged_are_read_or_told(content):
    tried(use_claims if b"sources:" in content else use_systems, content)


@inputs()
@given(
    st.one_of(st.text(), st.sampled_from(["[" * 5000, "*a", "&a [*a]", "!!python/name:os.system", "1" * 5000, "\0"]))
)
def test_a_value_of_the_command_line_is_always_a_value(text):
    accepted_or_told(lambda: read_scalar(text))


def laughs(first: str, once: str) -> str:
    """Each name stands for nine of the one before it."""
    found = f"a: &a {first}\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        found += f"{name}: &{name} {once.format(', '.join([f'*{before}'] * 9))}\n"
    return found


BOMBS = {
    "billion laughs": laughs("[x, x]", "[{}]"),
    "merged laughs": laughs("{x: 1}", "{{<<: [{}]}}"),
    "a list in itself": "labels: &a [*a]\n",
    "a mapping in itself": "source: &a {files: *a}\n",
    "deep lists": "labels: " + "[" * 100_000,
    "deep mappings": "labels: " + "{a: " * 50_000,
    "deep blocks": "labels:\n" + "".join(f"{' ' * n}-\n" for n in range(1, 1500)),
    "deep block lists": "- " * 200_000,
    "many fields": "".join(f"a{n}: 1\n" for n in range(150_000)),
    "many labels": f"labels: [{', '.join(f'l{n}' for n in range(150_000))}]\n",
    "the same label": f"labels: [{', '.join(['l'] * 150_000)}]\n",
    "a long name of a field": f"? {'a' * 90_000}\n: 1\n",
    "a long name": f"{'a' * 900_000}: 1\n",
    "a long value": f"type: {'a' * 900_000}\n",
    "a long number": f"max_length: {'9' * 900_000}\n",
    "a long fraction": f"max_length: {'9' * 400_000}.{'9' * 400_000}\n",
    "sexagesimal": f"max_length: 1{':59' * 250_000}\n",
    "documents": "---\n" * 200_000,
    "comments": "#" * 900_000,
    "quotes": "a: '" + "''" * 400_000,
    "many anchors": "".join(f"a{n}: &a{n} x\n" for n in range(60_000)),
    "an object": "title: !!python/object/apply:os.system [ls]\n",
    "a tag": "!<tag:yaml.org,2002:" + "x" * 100_000 + "> a: 1",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_that_would_grow_is_told_at_once(tmp_path, name):
    path = tmp_path / "bomb.yaml"
    path.write_text(BOMBS[name])
    for use in (load_task, load_systems, use_claims):
        assert accepted_or_told(lambda own=use: own(path) or True, path) is None


def test_of_very_many_problems_the_first_are_told_and_the_others_counted(tmp_path):
    path = tmp_path / "some.yaml"
    path.write_text("".join(f"a{n}: 1\n" for n in range(5000)))
    with pytest.raises(UserError, match=r"some.yaml: 5007 problems\n(  .*\n){100}  ... and 4,907 more."):
        load_task(path)


def test_a_damaged_number_of_a_field_is_told_with_its_line(tmp_path):
    path = tmp_path / "some.yaml"
    for text, said in {"2001-99-99": "is no timestamp", "!!bool x": "is no bool", f"0x{'f' * 20}": "too large"}.items():
        path.write_text(f"title: a\nnotes: {text}\n")
        with pytest.raises(UserError, match=f"some.yaml:2: not valid YAML: .*{said}"):
            load_task(path)
