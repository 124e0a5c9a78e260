"""A checkpoint from elsewhere is numbers, a tokenizer and a configuration: whatever else is in it never runs."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import jobs
import make
import pytest
import safetensors.torch
import tiny
import torch

from benchmarks import trust
from benchmarks.cli import main
from benchmarks.encoders import fetch, load_encoder, load_model, load_tokenizer, locate, parameters
from benchmarks.errors import UserError
from benchmarks.lock import Lock
from benchmarks.methods.kept import of_texts
from benchmarks.methods.siamese import sentence_encoder
from benchmarks.recipes import RECIPES, Finetune
from benchmarks.schema import TEXTS, Encoder, RunResult


def change(path: Path, **fields: Any) -> None:
    """Of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def used(folder: Path) -> None:
    """As a run uses it: checked first."""
    found = fetch(locate(Encoder(checkpoint=str(folder)), {}), Lock()).folder
    assert found
    load_tokenizer(found, TEXTS)
    load_encoder(found)
    load_model(found, TEXTS, ["a", "b"])
    parameters(found)


def refused(folder: Path, *said: str) -> None:
    with pytest.raises(UserError) as raised:
        used(folder)
    for part in said:
        assert part in str(raised.value)


# -- code ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_code(encoder, mark, monkeypatch) -> Path:
    """It names code of its own wherever a library looks for some, under a name that Python finds, too."""
    (encoder / "evil.py").write_text(mark.code)
    monkeypatch.syspath_prepend(str(encoder))
    models = dict.fromkeys(("AutoModel", "AutoModelForSequenceClassification"), "evil.Model")
    change(encoder / "config.json", auto_map={"AutoConfig": "evil.Config", **models})
    change(encoder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Tokenizer", "evil.Tokenizer"]})
    modules = [{"idx": 0, "name": "0", "path": "", "type": "evil.Module"},
               {"idx": 1, "name": "1", "path": "1_Pooling", "type": "evil.Module"}]  # fmt: skip
    (encoder / "modules.json").write_text(json.dumps(modules))
    (encoder / "1_Pooling").mkdir()
    (encoder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": "evil.Module"}))
    return encoder


def test_code_that_a_checkpoint_brings_is_never_run(with_code, mark):
    used(with_code)
    assert not mark.left()


def test_modules_that_a_sentence_encoder_names_are_never_imported(with_code, mark, tmp_path):
    job = jobs.job(tmp_path, with_code, RECIPES["sbert-softmax"]())
    sentence_encoder(job, job.data.train)
    assert not mark.left()


def test_the_code_of_these_tests_does_run_where_it_is_trusted(with_code, mark):
    __import__("evil")
    assert mark.left()


def test_a_model_of_a_kind_of_its_own_is_refused_and_no_reader_is_told_to_trust_it(with_code, mark):
    change(with_code / "config.json", model_type="evil")
    refused(with_code, "model_type: 'evil' is none of transformers' own", "is never run")
    assert not mark.left()


@pytest.mark.parametrize("asked", [
    {"attn_implementation": "evil/kernel"}, {"_attn_implementation": {"": "evil/kernel"}},
    {"text_config": {"attn_implementation": "evil/kernel"}},
])  # fmt: skip
def test_an_attention_that_would_be_downloaded_is_refused(encoder, asked):
    change(encoder / "config.json", **asked)
    refused(encoder, "'evil/kernel' is code on the Hub, and such code is never run")


def test_an_adapter_that_transformers_would_load_unseen_is_refused(encoder, mark):
    adapter = {"peft_type": "LORA", "base_model_name_or_path": "evil/base", "megatron_core": "evil"}
    (encoder / "adapter_config.json").write_text(json.dumps(adapter))
    (encoder / "adapter_model.bin").write_bytes(mark.pickled)
    refused(encoder, "holds an adapter (adapter_config.json)")
    assert not mark.left()


@pytest.mark.parametrize("package", ["evil.inside/model", "evil/../../model", "evil//etc", "../evil"])
def test_a_package_that_carries_an_encoder_is_found_without_importing_it(tmp_path, mark, monkeypatch, package):
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "__init__.py").write_text(mark.code)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match="expected the name of a package and a folder in it"):
        locate(Encoder(checkpoint="org/name", package=package), {})
    locate(Encoder(checkpoint="org/name", package="evil/model"), {})
    assert not mark.left()


# -- pickles ---------------------------------------------------------------------------------------------------------


def weights_by_torch(folder: Path, **saved: Any) -> None:
    """As older checkpoints have them."""
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin", **saved)


def pickle_of(folder: Path, mark: Any, kind: str) -> Path:
    path = folder / "pytorch_model.bin"
    (folder / "model.safetensors").unlink()
    if kind == "plain":
        path.write_bytes(mark.pickled)
    else:
        torch.save({"weight": mark.object}, path, _use_new_zipfile_serialization=kind == "zip")
    return path


@pytest.mark.parametrize("kind", ["plain", "zip", "legacy"])
def test_weights_that_are_a_pickle_with_code_are_refused_unopened(encoder, mark, kind):
    path = pickle_of(encoder, mark, kind)
    refused(encoder, str(path), "holds more than tensors, and is not loaded: it could run code. Ask for safetensors")
    assert not mark.left()
    with path.open("rb") as file:  # the attack is one
        pickle.load(file) if kind == "plain" else torch.load(path, weights_only=False)  # noqa: S301
    assert mark.left()


def test_a_run_on_such_weights_ends_with_one_message_before_anything_is_trained(here, encoder, mark, capsys):
    pickle_of(encoder, mark, "zip")
    make.text_task(here)
    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", f"{encoder},majority"]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert "holds more than tensors" in said and "Traceback" not in said and "weights_only" not in said
    assert not (here / "results").exists() and not mark.left()


@pytest.mark.parametrize(
    "name", ["../other.safetensors", "hidden/w.safetensors", "/tmp/w.bin", "w.pt", "pytorch_model-1.bin", 3]
)
def test_an_index_that_names_weights_elsewhere_is_refused(encoder, name):
    """They would be loaded, and be neither looked at nor in the checksum."""
    (encoder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"embeddings.weight": name}}))
    refused(encoder, "model.safetensors.index.json: weight_map: ", "expected a file of its kind beside it")


def test_weights_that_the_configuration_names_in_place_of_the_checksummed_ones_are_refused(encoder):
    change(encoder / "config.json", transformers_weights="hidden/model.safetensors")
    refused(encoder, "config.json: transformers_weights: 'hidden/model.safetensors' would be loaded in place of")


def test_safetensors_that_nothing_reads_hide_no_pickle(encoder, mark):
    (encoder / "model.safetensors").rename(encoder / "unread.safetensors")
    (encoder / "pytorch_model.bin").write_bytes(mark.pickled)
    refused(encoder, "holds more than tensors")


@pytest.mark.parametrize("zipped", [True, False])
def test_weights_of_torch_that_are_tensors_alone_are_read_as_before(encoder, honest, zipped):
    weights_by_torch(encoder, _use_new_zipfile_serialization=zipped)
    used(encoder)
    expected, found = (load_encoder(folder).state_dict() for folder in (honest, encoder))
    assert all(torch.equal(expected[name], found[name]) for name in expected)


HEADERS = {
    "longer than the file": b"\xff" * 8 + b"{}",
    "no JSON": (4).to_bytes(8, "little") + b"evil",
    "a pickle": pickle.dumps({"a": 1}),
    "cut off": b"\x08",
    "numbers outside": b"".join([
        (header := json.dumps({"w": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}).encode()) and b"",
        len(header).to_bytes(8, "little"), header, b"\0" * 4,
    ]),
}  # fmt: skip


@pytest.mark.parametrize("kind", HEADERS)
def test_safetensors_with_a_bad_header_are_told(encoder, kind):
    (encoder / "model.safetensors").write_bytes(HEADERS[kind])
    refused(encoder, f"{encoder / 'model.safetensors'}: no safetensors: ")


# -- a model that somebody kept --------------------------------------------------------------------------------------


def predicted(folder: Path) -> None:
    run = RunResult.model_construct(
        type=TEXTS, method="finetune", recipe=Finetune(pooling="mean").model_dump(mode="json"),
        identity_={"task": {"labels": ["a", "b"]}}, training={"max_length": tiny.POSITIONS},
    )  # fmt: skip
    of_texts(folder, run, ["a good film"])


def test_a_kept_model_that_was_tampered_with_runs_no_code(with_code, honest, mark, tmp_path):
    predicted(with_code)
    assert not mark.left()
    (with_code / "head.safetensors").write_bytes(mark.pickled)
    with pytest.raises(UserError, match=r"head\.safetensors: no safetensors"):
        predicted(with_code)
    other = Path(shutil.copytree(honest, tmp_path / "other"))
    pickle_of(other, mark, "zip")
    with pytest.raises(UserError, match="holds more than tensors"):
        predicted(other)
    assert not mark.left()


def test_what_is_kept_of_a_model_is_numbers_and_texts_alone(here, encoder):
    make.text_task(here)
    command = ["run", "--tasks", "./mine.yaml", "--data-dir", "data", "--systems", str(encoder), "--seeds", "1"]
    assert main([*command, "--keep-models", "--set", "recipe.epochs=1"]) == 0
    (model,) = (here / "results" / "models").glob("*/*/*")
    assert {path.suffix for path in model.iterdir()} <= {".json", ".safetensors", ".txt", ".md"}
    trust.check(model)
