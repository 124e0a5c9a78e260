"""All that knows checkpoints: where they lie, what identifies them, how tokenizer and model are loaded."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import snapshots, trust
from benchmarks.definitions import folder_named
from benchmarks.errors import UserError, short
from benchmarks.files import checksum, is_file, is_folder
from benchmarks.lock import Lock, Locked, Repo
from benchmarks.schema import TAGS, Encoder, TaskType
from benchmarks.snapshots import Snapshot

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch.nn import Module
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")
# What a fine-tuning needs of a checkpoint, and all that can move its score: no code, no other framework's weights.
TOKENIZER_FILES = ("tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model")
NEEDED_FILES = ("config.json", *TOKENIZER_FILES, "*.safetensors", "*.safetensors.index.json")
TORCH_FILES = ("pytorch_model*.bin", "pytorch_model.bin.index.json")
# What a checkpoint's own configuration may ask for beside its outputs: a Trainer would take it for predictions.
ITS_OUTPUTS_ALONE = {"output_hidden_states": False, "output_attentions": False, "return_dict": True}
# Families whose position numbers start after the padding index: two of their positions hold no word piece.
NUMBERED_AFTER_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer")


@dataclass(frozen=True)
class Checkpoint:
    """A located encoder: a local folder, or (None) a Hub id that still has to be fetched.

    identity: for the fingerprint; sha256: what the folder's model.safetensors must have, where that is declared;
    tokenizer_sha256: the same of all that stands beside it and moves a score.
    """

    folder: Path | None
    hub_id: str
    identity: dict[str, Any]
    sha256: str | None = None
    tokenizer_sha256: str | None = None

    def labels(self) -> tuple[str, ...] | None:
        """What a head that the checkpoint brings tells apart; none where it has no head, None where it isn't here."""
        return own_labels(self.folder) if self.folder else None


def locate(encoder: Encoder, commits: Mapping[str, str], offline: bool = False) -> Checkpoint:
    """Where the encoder is, without loading it or asking the network.

    Order: the installed package that carries it, a local folder, the Hub at the commit in `commits` (None: not known).
    Raises UserError for a folder that isn't a checkpoint, or (offline) for one that only the Hub has.
    """
    identity: dict[str, Any]
    if encoder.package and (folder := _package_folder(encoder.package)):
        identity = {"sha256": encoder.sha256 or checkpoint_sha256(folder)}
        return Checkpoint(folder, encoder.checkpoint, identity, encoder.sha256, encoder.tokenizer_sha256)
    if folder := folder_named(encoder.checkpoint):
        check_folder(folder)
        return Checkpoint(folder, encoder.checkpoint, {"sha256": checkpoint_sha256(folder)})
    if offline:
        hint = " In the clone: pip install -c constraints.txt -e '.[sample]'" if encoder.package else ""
        raise UserError(f"encoder {encoder.checkpoint!r}: is not on this machine, and --sample uses no network.{hint}")
    identity = {"hub": encoder.checkpoint, "commit": commits.get(encoder.checkpoint)}
    return Checkpoint(None, encoder.checkpoint, identity)


def _package_folder(package: str) -> Path | None:
    name, _, inside = package.partition("/")
    if not name.isidentifier() or ".." in Path(inside).parts or inside.startswith("/"):  # 'a.b' would import a
        raise UserError(f"encoder package {package!r}: expected the name of a package and a folder in it.")
    found = importlib.util.find_spec(name)  # finds without importing
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places)), inside) if places else None


def is_checkpoint(folder: Path) -> bool:
    """Whether the folder holds configuration, weights and a tokenizer."""
    try:
        check_folder(folder)
    except UserError:
        return False
    return True


def check_folder(folder: Path) -> None:
    """Raises UserError that says what the folder lacks to be a checkpoint."""
    if not is_folder(folder):
        raise UserError(f"encoder {short(str(folder))}: no such folder.")
    if not is_file(folder / "config.json"):
        raise UserError(f"encoder {str(folder)!r}: holds no config.json, so it is no checkpoint.")
    if not any(is_file(folder / name) for name in WEIGHTS):
        raise UserError(f"encoder {str(folder)!r}: holds no weights. One of: {', '.join(WEIGHTS)}.")
    if not any(folder.glob("tokenizer*")) and not any(folder.glob("vocab*")):
        raise UserError(f"encoder {str(folder)!r}: holds no tokenizer (tokenizer.json or vocab.*).")


def checkpoint_sha256(folder: Path) -> str:
    """sha256 over configuration, tokenizer and weights of a local checkpoint: what can move a score."""
    return sha256_of(checkpoint_files(folder))


def checkpoint_files(folder: Path) -> list[Path]:
    """Configuration, tokenizer and weights of a local checkpoint."""
    return _matching(folder, (*NEEDED_FILES, *TORCH_FILES))


def tokenizer_sha256(folder: Path) -> str:
    """sha256 over all of a local checkpoint that moves its tokenizer: its configuration, too, which names its class."""
    return sha256_of(_matching(folder, ("config.json", *TOKENIZER_FILES)))


def _matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    return sorted({file for pattern in patterns for file in folder.glob(pattern)})


def sha256_of(files: Sequence[Path]) -> str:
    """Over names and contents."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name} {checksum(file)}\n".encode())
    return digest.hexdigest()


def verify(checkpoint: Checkpoint) -> None:
    """Raises UserError where the checkpoint of an installed package is not the declared one."""
    folder, of = checkpoint.folder, checkpoint.hub_id
    if folder and checkpoint.sha256:
        weights = folder / "model.safetensors"
        _check_sha256(f"{weights}: not the declared weights of {of}", checksum(weights), checkpoint.sha256)
    if folder and checkpoint.tokenizer_sha256:
        said = f"{folder}: not the declared tokenizer and configuration of {of}"
        _check_sha256(said, tokenizer_sha256(folder), checkpoint.tokenizer_sha256)


def check_planned(folder: Path, encoder: Encoder, planned: Mapping[str, Any]) -> None:
    """Raises UserError where the folder is not the checkpoint by which a run is known; planned: its identity. Nothing
    is asked of the Hub's, which is known by its commit.
    """
    expected = planned.get("sha256")
    if expected and expected == encoder.sha256:  # of the weights alone
        verify(Checkpoint(folder, encoder.checkpoint, {}, encoder.sha256, encoder.tokenizer_sha256))
    elif expected:
        said = f"encoder {str(folder)!r}: has changed since this run was planned (the same command plans anew)"
        _check_sha256(said, checkpoint_sha256(folder), expected)


def _check_sha256(said: str, found: str, expected: str) -> None:
    if found != expected:
        raise UserError(f"{said}: sha256 {found}, expected {expected}.")


# -- the Hub ---------------------------------------------------------------------------------------------------------


def repo_of(checkpoint: str) -> Repo:
    return Repo("encoder", checkpoint)


def snapshot(hub_id: str, commit: str, locked: Locked | None) -> Snapshot:
    """What a fine-tuning needs of a Hub checkpoint, from the cache or downloaded; torch's own weights only where it has
    no others. Raises UserError where it isn't there, can't be reached, or isn't what is locked.
    """
    found = snapshots.fetched(repo_of(hub_id), commit, NEEDED_FILES, is_checkpoint, locked)
    if not any(found.folder.glob("*.safetensors")):  # an older checkpoint: torch reads it with weights_only
        found = snapshots.fetched(repo_of(hub_id), commit, [*NEEDED_FILES, *TORCH_FILES], is_checkpoint, locked)
    check_folder(found.folder)
    return found


def fetch(checkpoint: Checkpoint, locked: Lock) -> Checkpoint:
    """The same encoder as a local folder, downloaded where needed. Raises UserError, see `snapshot`, `trust.check`."""
    verify(checkpoint)
    entry = locked.entry(repo_of(checkpoint.hub_id))
    folder = checkpoint.folder or snapshot(checkpoint.hub_id, checkpoint.identity["commit"], entry).folder
    trust.check(folder)
    return replace(checkpoint, folder=folder)


# -- loading ---------------------------------------------------------------------------------------------------------


def load_tokenizer(folder: Path, task_type: TaskType) -> PreTrainedTokenizerBase:
    """The checkpoint's fast tokenizer. For given words it pads on the right, where their labels and predictions stand
    from the first on, and a byte-level one (RoBERTa) marks the start of each word.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if task_type == TAGS:
        pre_tokenizer = json.loads(tokenizer.backend_tokenizer.to_str())["pre_tokenizer"]
        if '"ByteLevel"' in json.dumps(pre_tokenizer):
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, add_prefix_space=True)
            _put_space_before(tokenizer.backend_tokenizer)
        tokenizer.padding_side = "right"
    return tokenizer


def _put_space_before(backend: Tokenizer) -> None:
    """In place, before each given word. Classes such as RoBERTa's do it when they are told; the general one ignores it,
    and where words are split further first (Llama, Qwen) a ByteLevel that is told would do it before each part.
    """
    from tokenizers.pre_tokenizers import Metaspace, Sequence

    if not getattr(backend.pre_tokenizer, "add_prefix_space", False):
        space = Metaspace(" ", prepend_scheme="always", split=False)
        backend.pre_tokenizer = Sequence([space, backend.pre_tokenizer])


def load_model(folder: Path, task_type: TaskType, classes: Sequence[str]) -> PreTrainedModel:
    """The encoder with a fresh head for `classes`, in float32 whatever the checkpoint's own dtype."""
    import torch

    family = _with_head(task_type)
    # A checkpoint that was fine-tuned for several labels a text, or for a number, has another loss.
    problem = {} if task_type == TAGS else {"problem_type": "single_label_classification"}
    model, loaded = family.from_pretrained(
        folder,
        num_labels=len(classes),
        id2label=dict(enumerate(classes)),
        label2id={name: index for index, name in enumerate(classes)},
        dtype=torch.float32,
        ignore_mismatched_sizes=True,  # a checkpoint that was fine-tuned before brings a head of its own
        output_loading_info=True,
        trust_remote_code=False,
        **problem,
        **ITS_OUTPUTS_ALONE,
    )
    if brought := _brought_head(model, loaded):
        fresh = family.from_config(model.config, dtype=torch.float32, trust_remote_code=False).state_dict()
        model.load_state_dict({name: fresh[name] for name in brought}, strict=False)
    return model


def load_with_its_head(folder: Path, task_type: TaskType) -> PreTrainedModel:
    """The encoder and the head that it was fine-tuned with, in float32 and evaluation mode."""
    import torch

    model: PreTrainedModel = _with_head(task_type).from_pretrained(
        folder, dtype=torch.float32, trust_remote_code=False, **ITS_OUTPUTS_ALONE
    )
    return model.eval()


def _with_head(task_type: TaskType) -> Any:
    """The class of transformers whose models have a head for such tasks."""
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

    return AutoModelForTokenClassification if task_type == TAGS else AutoModelForSequenceClassification


def _brought_head(model: PreTrainedModel, loaded: Mapping[str, Any]) -> list[str]:
    """The weights of a head that a checkpoint was fine-tuned with, by name, of those that loading has not drawn anew.

    Without a layer for classes, the last one, it was not: what it has of a head (ModernBERT's) is of its pretraining.
    """
    encoder = {id(weights) for weights in model.base_model.parameters()}
    head = [name for name, weights in model.named_parameters() if id(weights) not in encoder]
    if not head or head[-1] in loaded["missing_keys"]:  # Perceiver's has no weights
        return []
    drawn = {*loaded["missing_keys"], *(name for name, *_ in loaded["mismatched_keys"])}
    return [name for name in head if name not in drawn]


def load_encoder(folder: Path) -> PreTrainedModel:
    """The bare encoder in float32, without the pooler that some families put on top."""
    import torch
    from transformers import AutoModel

    encoder = AutoModel.from_pretrained(folder, dtype=torch.float32, trust_remote_code=False, **ITS_OUTPUTS_ALONE)
    return without_pooler(encoder)


def parameters(folder: Path) -> int:
    """How many weights the bare encoder has, as `load_encoder` gives it; its files are not read."""
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    with torch.device("meta"):  # shapes alone
        encoder = without_pooler(AutoModel.from_config(config, trust_remote_code=False))
    return sum(weights.numel() for weights in encoder.parameters())


def without_pooler(encoder: PreTrainedModel) -> PreTrainedModel:
    """In place: what some families put on top."""
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None  # unused weights: DDP would wait for their gradients
    return encoder


def layers_of(encoder: PreTrainedModel) -> tuple[list[Module], list[Module]]:
    """What stands before the layers (the embeddings), and the layers from below.

    Raises UserError for a family that does not stack its layers (ALBERT, XLM).
    """
    from torch.nn import ModuleList

    depth = getattr(encoder.config, "num_hidden_layers", None)
    for name, part in encoder.named_modules():
        if isinstance(part, ModuleList) and len(part) == depth and name.rpartition(".")[2] in ("layer", "layers"):
            parts = list(encoder.named_children())
            holder = [child for child, _ in parts].index(name.partition(".")[0])
            return [child for _, child in parts[:holder]], list(part)
    family = encoder.config.model_type
    raise UserError(f"recipe.frozen_layers and LoRA need a plain stack of layers; {family} has none that we know.")


def own_labels(folder: Path) -> tuple[str, ...]:
    """The labels of a checkpoint that was fine-tuned for text classification, in the order of its outputs."""
    config = trust.configuration(folder)
    heads, labels = config.get("architectures"), config.get("id2label")
    if not isinstance(heads, list) or not any(str(name).endswith("ForSequenceClassification") for name in heads):
        return ()
    if labels is None:
        return ("LABEL_0", "LABEL_1")  # transformers leaves its default out
    if not isinstance(labels, dict) or not all(name.isdecimal() and len(name) < 10 for name in labels):
        raise UserError(f"{folder / 'config.json'}: id2label: {short(labels)}, expected labels by their numbers.")
    return tuple(str(labels[number]) for number in sorted(labels, key=int))


def depth(folder: Path) -> int | None:
    """How many layers the checkpoint's configuration names; None where it names none."""
    return _named_in(trust.configuration(folder), "num_hidden_layers", "n_layers")


class Shape(NamedTuple):
    """The size of an encoder; heads: of its attention."""

    parameters: int
    layers: int
    width: int
    heads: int


def shape(folder: Path) -> Shape:
    """From the names and sizes of a checkpoint's files alone; what a configuration doesn't name is BERT-base's."""
    config = trust.configuration(folder)
    layers = depth(folder) or 12
    width = _named_in(config, "hidden_size", "dim", "d_model") or 768
    heads = _named_in(config, "num_attention_heads", "n_heads") or 12
    return Shape(_weights_in(folder), layers, width, heads)


def _weights_in(folder: Path) -> int:
    """How many; torch's own files don't say it without being loaded, and are taken for fp32."""
    from safetensors import SafetensorError, safe_open

    files = sorted(folder.glob("*.safetensors"))
    if not files:
        return sum(path.stat().st_size for path in folder.glob("pytorch_model*.bin")) // 4
    weights = 0
    for path in files:
        try:
            with safe_open(path, "numpy") as opened:
                weights += sum(prod(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise UserError(f"{path}: can't be read: {error}") from None
    return weights


def _named_in(config: Mapping[str, Any], *names: str) -> int | None:
    """Families name the same size differently."""
    sizes = (config.get(name) for name in names)
    return next((size for size in sizes if isinstance(size, int) and size is not True and 0 < size < 2**31), None)


def longest_input(folder: Path, tokenizer: PreTrainedTokenizerBase, wanted: int) -> int:
    """Word pieces a row may have: what is wanted, or as many as tokenizer and encoder have positions for."""
    config = trust.configuration(folder)
    positions = _named_in(config, "max_position_embeddings", "n_positions") or wanted
    if config.get("model_type") in NUMBERED_AFTER_PADDING:
        positions -= 2
    return int(min(wanted, positions, tokenizer.model_max_length))
