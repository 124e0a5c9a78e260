"""What a checkpoint may not bring: code of its own, pickles, weights that are put on top unseen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from pickle import UnpicklingError  # how torch refuses; nothing is unpickled here
from typing import Any

from benchmarks.errors import UserError, short
from benchmarks.files import read_text

ADAPTER = "adapter_config.json"
LARGEST_CONFIG = 50_000_000  # bytes; a thousand labels take some thousand
TAKEN_FIRST = ("model.safetensors", "model.safetensors.index.json")
"""By transformers, where there are torch's own files, too."""
WEIGHTS = {"model.safetensors": r"[\w.-]+\.safetensors", "pytorch_model.bin": r"pytorch_model[\w.-]*\.bin"}
"""What an index of each kind may name: what is looked at as such."""


def check(folder: Path) -> None:
    """Raises UserError for a checkpoint that holds more than a configuration, a tokenizer and numbers.

    Reads the headers of safetensors; torch's own files, which may run code where they are loaded otherwise, as they
    will be read: tensors alone, here without their numbers.
    """
    where = f"encoder {str(folder)!r}"
    if (folder / ADAPTER).is_file():  # transformers would load it with whatever it stands beside
        raise UserError(f"{where}: holds an adapter ({ADAPTER}). Merge it into the weights, or remove it.")
    for problem in _in_configuration(configuration(folder)):
        raise UserError(f"{where}: config.json: {problem}")
    for path in sorted(folder.glob("*.index.json")):
        _check_index(path)
    for path in sorted(folder.glob("*.safetensors")):
        _check_header(path)
    if not any((folder / name).exists() for name in TAKEN_FIRST):
        for path in sorted(folder.glob("pytorch_model*.bin")):
            _check_tensors(path)


def configuration(folder: Path) -> dict[str, Any]:
    """A checkpoint's config.json. Raises UserError."""
    return _mapping(folder / "config.json", "model_type")


def _mapping(path: Path, such_as: str) -> dict[str, Any]:
    try:
        found = json.loads(read_text(path, LARGEST_CONFIG))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: holds {short(found)}, expected fields such as {such_as!r}.")
    return found


def _check_index(path: Path) -> None:
    """It names files beside it, which are looked at and make up the checksum, and no others."""
    named = _mapping(path, "weight_map").get("weight_map")
    for name in named.values() if isinstance(named, dict) else [named]:
        allowed = WEIGHTS.get(path.name.removesuffix(".index.json"), WEIGHTS["model.safetensors"])
        if not isinstance(name, str) or not re.fullmatch(allowed, name):
            raise UserError(f"{path}: weight_map: {short(name)}, expected a file of its kind beside it.")


def _in_configuration(config: dict[str, Any]) -> Iterator[str]:
    from transformers import CONFIG_MAPPING

    if config.get("auto_map") and config.get("model_type") not in CONFIG_MAPPING:
        yield (
            f"model_type: {config.get('model_type')!r} is none of transformers' own, and code that a checkpoint brings "
            "(auto_map) is never run."
        )
    if "transformers_weights" in config:
        named = short(config["transformers_weights"])
        yield f"transformers_weights: {named} would be loaded in place of {TAKEN_FIRST[0]}, and be in no checksum."
    for name in _attention(config):
        if "/" in name:
            yield f"attn_implementation: {name!r} is code on the Hub, and such code is never run."


def _attention(config: Any) -> Iterator[str]:
    """Every implementation that it asks for, also for a part of the model: 'sdpa', or a repository of the Hub."""
    for key, value in config.items() if isinstance(config, dict) else ():
        if key.strip("_").startswith("attn_implementation"):
            yield from map(str, value.values() if isinstance(value, dict) else [value])
        yield from _attention(value)


def _check_header(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy"):
            pass
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: no safetensors: {error}") from None


def _check_tensors(path: Path) -> None:
    import torch

    try:
        torch.load(path, map_location="meta", weights_only=True)
    except UnpicklingError:
        raise UserError(
            f"{path}: holds more than tensors, and is not loaded: it could run code. Ask for safetensors, which can't."
        ) from None
    except Exception as error:  # of a damaged file it raises whatever it stumbles over
        said = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{path}: no weights of torch: {said}") from None
