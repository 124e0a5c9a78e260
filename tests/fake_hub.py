"""A Hub on 127.0.0.1 that answers what the Hub's client asks: info, tree, files by commit. Nothing else is there."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

Files = Mapping[str, bytes]

INFO = re.compile(r"^/api/(models|datasets)/([^/]+/[^/]+)(?:/revision/([^/]+))?$")
TREE = re.compile(r"^/api/(models|datasets)/([^/]+/[^/]+)/tree/([^/]+)$")
FILE = re.compile(r"^/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)$")


@dataclass
class FakeHub:
    """What it serves, under which address, and the requests that it got."""

    url: str = ""
    repos: dict[tuple[str, str], dict[str, Files]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def add(self, kind: str, hub_id: str, files: Files) -> str:
        """The commit of `files`, which becomes the newest; kind is 'models' or 'datasets'."""
        content = json.dumps({name: _sha1(data) for name, data in sorted(files.items())})
        commits = self.repos.setdefault((kind, hub_id), {})
        commit = _sha1(f"{kind} {hub_id} {len(commits)} {content}".encode())
        commits[commit] = dict(files)
        return commit

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if found := INFO.match(path):
            return self._info(*found.groups())
        if found := TREE.match(path):
            return self._tree(*found.groups())
        if found := FILE.match(path):
            return self._file(found[1] or "models", *found.groups()[1:])
        return 404, {"X-Error-Code": "RepoNotFound"}, b""

    def _commit(self, kind: str, hub_id: str, revision: str | None) -> str | None:
        commits = self.repos.get((kind, hub_id), {})
        return (
            list(commits)[-1] if commits and revision in (None, "main") else revision if revision in commits else None
        )

    def _missing(self, kind: str, hub_id: str) -> tuple[int, dict[str, str], bytes]:
        return 404, {"X-Error-Code": "RevisionNotFound" if (kind, hub_id) in self.repos else "RepoNotFound"}, b""

    def _info(self, kind: str, hub_id: str, revision: str | None) -> tuple[int, dict[str, str], bytes]:
        commit = self._commit(kind, hub_id, revision)
        return _json({"id": hub_id, "sha": commit, "siblings": []}) if commit else self._missing(kind, hub_id)

    def _tree(self, kind: str, hub_id: str, revision: str) -> tuple[int, dict[str, str], bytes]:
        commit = self._commit(kind, hub_id, revision)
        if not commit:
            return self._missing(kind, hub_id)
        files = self.repos[kind, hub_id][commit].items()
        return _json([{"type": "file", "path": n, "size": len(d), "oid": _sha1(d)} for n, d in files])

    def _file(self, kind: str, hub_id: str, revision: str, name: str) -> tuple[int, dict[str, str], bytes]:
        commit = self._commit(kind, hub_id, revision)
        if not commit:
            return self._missing(kind, hub_id)
        data = self.repos[kind, hub_id][commit].get(name)
        if data is None:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}, b""
        return 200, {"ETag": f'"{_sha1(data)}"', "X-Repo-Commit": commit}, data


def _json(content: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(content).encode()


def _sha1(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


@contextmanager
def serving() -> Iterator[FakeHub]:
    """A hub that answers until the block ends; afterwards its address refuses connections."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.requests.append(f"{self.command} {path}")
            status, headers, body = hub.answer(path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body)), "Connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815  the server asks for this name

        def log_message(self, *arguments: object) -> None:
            """Not on the tests' screen."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# -- what it serves --------------------------------------------------------------------------------------------------


def folder_files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def parquet(columns: Mapping[str, list[Any]], names: Mapping[str, list[str]] | None = None) -> bytes:
    """A parquet file as `datasets` writes it; `names`: column of integers -> the class names that it then carries."""
    from datasets import ClassLabel, Dataset, List

    table = Dataset.from_dict(dict(columns))
    for column, classes in (names or {}).items():
        label = ClassLabel(names=classes)
        is_list = isinstance(columns[column][0], list)
        table = table.cast_column(column, List(label) if is_list else label)
    stream = io.BytesIO()
    table.to_parquet(stream)
    return stream.getvalue()


def card(configs: Mapping[str, Mapping[str, str]]) -> bytes:
    """A README that says where each configuration's splits are: {config: {split: pattern}}."""
    lines = ["---", "configs:"]
    for name, splits in configs.items():
        lines += [f"- config_name: {name}", "  data_files:"]
        lines += [line for split, path in splits.items() for line in (f"  - split: {split}", f"    path: {path}")]
    return "\n".join([*lines, "---", "# A data set", ""]).encode()


# -- who asks it -----------------------------------------------------------------------------------------------------


def command(folder: Path, url: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """`encoder-bench ARGUMENTS` in `folder`, in a process of its own: the Hub's client reads its settings at import."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HF_", "ENCODER_BENCH", "HUGGING")) and not name.lower().endswith("_proxy")
    }
    ours = {"HF_ENDPOINT": url, "HF_HOME": str(folder / "hf"), "ENCODER_BENCH_CACHE": str(folder / "cache")}
    script = "import sys; from benchmarks.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True, text=True, cwd=folder, timeout=240, env={**kept, **ours, "OMP_NUM_THREADS": "1", **more},
    )  # fmt: skip


def point_client_at(monkeypatch: Any, url: str, cache: Path) -> None:
    """The Hub's client in this very process asks `url` and keeps its files in `cache`."""
    from huggingface_hub import constants

    for name, value in {"ENDPOINT": url, "HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": False}.items():
        monkeypatch.setattr(constants, name, value)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    )
    monkeypatch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
