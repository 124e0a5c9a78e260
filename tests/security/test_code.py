"""No module of ours runs what a file says: no eval, no pickle, no unsafe loader, no shell, no way around TLS."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from benchmarks.definitions.reading import _StrictLoader

PROJECT = Path(__file__).parents[2]
OURS = [PROJECT / "run_all.py", *sorted((PROJECT / "benchmarks").rglob("*.py"))]

MODULES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "imp", "runpy"}
NETWORK = {"requests", "httpx", "httpx2", "urllib3", "urllib.request", "http.client", "ftplib", "socket"}
CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
METHODS = {"mktemp", "read_pickle", "to_pickle", "unsafe_load", "full_load", "_create_unverified_context", "extractall"}
SAFE_LOADERS = {"_StrictLoader", "SafeLoader", "CSafeLoader"}
UNPICKLING_ERROR = "pickle.UnpicklingError"  # how torch refuses a pickle


def problems(source: str) -> list[str]:
    """What in a module could run what it reads, or ask the network unprotected."""
    return [found for node in ast.walk(ast.parse(source)) for found in _of(node)]


def _of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from _imports([alias.name for alias in node.names])
    elif isinstance(node, ast.ImportFrom):
        yield from _imports([f"{node.module}.{alias.name}" for alias in node.names])
    elif isinstance(node, ast.Call):
        yield from _call(ast.unparse(node.func), node)
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        yield from (f"{k.value}" for k, v in pairs if isinstance(k, ast.Constant) and _opens(k.value, v))


def _imports(names: list[str]) -> Iterator[str]:
    for name in names:
        parents = {name.rpartition(".")[0], name, name.split(".")[0]}
        if parents & (MODULES | NETWORK) and name != UNPICKLING_ERROR:
            yield f"import of {name}"


def _call(name: str, node: ast.Call) -> Iterator[str]:
    last, given = name.rpartition(".")[2], {keyword.arg: keyword.value for keyword in node.keywords}
    if name.removeprefix("builtins.") in CALLS or last in METHODS:
        yield name
    if name == "torch.load" and not _is(given.get("weights_only"), True):
        yield "torch.load without weights_only=True"
    if name in ("np.load", "numpy.load") and not _is(given.get("allow_pickle"), False):
        yield "numpy.load without allow_pickle=False"
    if name in ("yaml.load", "yaml.load_all"):
        loader = given.get("Loader") or (node.args[1] if len(node.args) > 1 else None)
        if loader is None or ast.unparse(loader).rpartition(".")[2] not in SAFE_LOADERS:
            yield "yaml.load without a safe loader"
    if name.startswith("subprocess.") and "shell" in given and not _is(given["shell"], False):
        yield f"{name} with a shell"
    from_elsewhere = last in ("from_pretrained", "from_config") and "Tokenizer(" not in name
    if from_elsewhere and not _is(given.get("trust_remote_code"), False):
        yield f"{name} without trust_remote_code=False"
    yield from (str(key) for key, value in given.items() if _opens(key, value))


def _opens(name: object, value: ast.expr) -> bool:
    """Whether this setting takes a protection away."""
    open_at = {"trust_remote_code": True, "verify": False, "allow_pickle": True, "weights_only": False,
               "allow_all_kernels": True, "autoescape": False}  # fmt: skip
    return name in open_at and not _is(value, not open_at[str(name)])


def _is(value: ast.expr | None, wanted: bool) -> bool:
    return isinstance(value, ast.Constant) and value.value is wanted


ASKS_WHETHER_A_NODE_ANSWERS = {"benchmarks/execute/connection.py": ["import of socket"]}
"""Of a Ray cluster, whose address the user has given; nothing is sent or read."""


def test_no_module_runs_what_it_reads():
    assert len(OURS) > 100
    found = {path.relative_to(PROJECT).as_posix(): problems(path.read_text(encoding="utf-8")) for path in OURS}
    assert {path: lines for path, lines in found.items() if lines} == ASKS_WHETHER_A_NODE_ANSWERS


BAD = [
    "eval(text)", "exec(text)", "compile(text, '', 'exec')", "builtins.eval(text)", "__import__(name)",
    "import pickle", "from pickle import loads", "import pickle as p", "import marshal", "import shelve", "import dill",
    "from joblib import load", "import joblib",
    "torch.load(path)", "torch.load(path, weights_only=False)", "torch.load(path, weights_only=wanted)",
    "np.load(path)", "np.load(path, allow_pickle=True)", "numpy.load(path, allow_pickle=True)",
    "pd.read_pickle(path)",
    "yaml.load(text)", "yaml.load(text, yaml.Loader)", "yaml.load(text, Loader=yaml.FullLoader)",
    "yaml.unsafe_load(text)", "subprocess.run(text, shell=True)", "os.system(text)", "os.popen(text)",
    "f(trust_remote_code=True)", "more = {'trust_remote_code': True}", "f(trust_remote_code=asked)",
    "AutoModel.from_pretrained(folder)", "AutoConfig.from_pretrained(folder, trust_remote_code=asked)",
    "client.get(url, verify=False)", "import requests", "from urllib.request import urlopen", "import socket",
    "tempfile.mktemp()", "archive.extractall(folder)", "Environment(autoescape=False)",
]  # fmt: skip


@pytest.mark.parametrize("source", BAD)
def test_the_check_of_modules_finds_each_bad_line(source):
    assert problems(f"def f(text):\n    {source}\n")


def test_the_loader_of_declarations_is_a_safe_one():
    assert issubclass(_StrictLoader, (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    constructors = {str(tag) for tag in _StrictLoader.yaml_constructors if tag}
    assert not [tag for tag in constructors if "python" in tag]
