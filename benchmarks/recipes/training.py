"""Methods that train on an encoder's output or on word vectors: all weights, low-rank updates, a head, an LSTM."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from benchmarks.schema import TAGS, TEXTS, Between, Neutral, Recipe, Task, TaskType

Schedule = Literal["linear", "cosine", "constant", "constant_with_warmup", "inverse_sqrt"]
Width = Annotated[int, Field(ge=1)]


class Training(Recipe):
    """What every training by gradient descent can be told."""

    over_ranks: ClassVar[bool] = True

    learning_rate: float = Field(5e-5, gt=0)
    epochs: float = Field(3, gt=0)
    batch_size: int = Field(32, ge=1)
    """Rows an update, over all ranks and accumulation steps."""
    schedule: Schedule = "linear"
    """Of the learning rate after the warm-up, of which constant has none. inverse_sqrt is Noam's: with a learning rate
    of (width * warm-up updates) ** -0.5 it is the formula of Vaswani et al. (2017)."""
    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of the updates in which the learning rate rises from 0."""
    weight_decay: float = Field(0.01, ge=0)
    clipping: float = Field(1.0, ge=0)
    """Largest norm of the gradient; 0 leaves it alone."""
    class_weights: Annotated[Literal["none", "balanced"], Neutral("none")] = "none"
    """balanced: the loss of a row (or word) counts n / (classes * rows of its class), as in scikit-learn; as torch has
    it, the mean is over the weights of a batch."""
    label_smoothing: Annotated[float, Neutral(0.0)] = Field(0.0, ge=0, lt=1)
    """Share of the target's probability that is spread over all classes."""

    def seen(self, rows: int, classes: int) -> float:
        return rows * self.epochs

    def unread(self, task_type: TaskType) -> frozenset[str]:
        return super().unread(task_type) | ({"warmup"} if self.schedule == "constant" else set())

    @property
    def global_batch(self) -> int:
        return self.batch_size

    @model_validator(mode="after")
    def _noam_rises_first(self) -> Self:
        if self.schedule == "inverse_sqrt" and not self.warmup:
            raise ValueError("warmup: inverse_sqrt falls from the end of the warm-up; give one above 0")
        return self


class Head(Recipe):
    """The layers between an encoder's output and the classes."""

    head_layers: Annotated[tuple[Width, ...], Neutral(())] = ()
    """Widths of the hidden layers below the linear layer that gives the classes; none: that layer alone."""
    head_dropout: Annotated[float, Neutral(0.1)] = Field(0.1, ge=0, lt=1)
    """Before each linear layer of our own head."""
    head_activation: Annotated[Literal["relu", "gelu", "tanh"], Neutral("relu")] = "relu"
    """After each hidden layer."""
    head_init: Annotated[Literal["random", "zero"], Neutral("random")] = "random"
    """zero: the last layer begins with zeros, so that the first updates leave the encoder as it was."""

    def unread(self, task_type: TaskType) -> frozenset[str]:
        return super().unread(task_type) | (set() if self.head_layers else {"head_activation"})


class Finetune(Training, Head):
    """Every weight of the encoder and a head, by the Hugging Face Trainer."""

    needs_encoder: ClassVar[bool] = True
    keeps_model: ClassVar[bool] = True
    space = {"learning_rate": Between(1e-5, 5e-4), "epochs": (3, 5, 10, 20), "batch_size": (16, 32)}

    max_length: int | None = Field(None, ge=8)
    """Word pieces of a row, special tokens included; the task's own where not given."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bf16 where the processor or GPU computes in it, else fp32. What was used is in the run's record."""
    pooling: Annotated[Literal["own", "cls", "mean"], Neutral("own")] = "own"
    """What of a text the head reads. own: the family's own head as transformers has it (BERT's pooler over [CLS],
    RoBERTa's and DistilBERT's extra layer). cls, mean: our head over the first token, or the mean of all tokens."""
    frozen_layers: Annotated[int, Neutral(0)] = Field(0, ge=0)
    """Layers from below that stay as they were pretrained, the embeddings with them; they run without dropout."""

    @property
    def own_head(self) -> bool:
        """Whether the head is the one that transformers gives the family."""
        return self.pooling == "own" and not self.head_layers

    def head_pooling(self, task_type: TaskType) -> str | None:
        """What a head of ours reads: of a text the first token or the mean, of a tagged row every token (None)."""
        if task_type == TAGS:
            return None
        return "cls" if self.pooling == "own" else self.pooling

    def unread(self, task_type: TaskType) -> frozenset[str]:
        own = {"head_dropout"} if self.own_head else set()
        return super().unread(task_type) | own


class Lora(Finetune):
    """Low-rank updates of a frozen encoder's linear layers and a head (Hu et al. 2022), by peft."""

    space = {"learning_rate": Between(1e-4, 5e-3), "epochs": (3, 5, 10, 20), "rank": (4, 8, 16)}

    learning_rate: float = Field(5e-4, gt=0)
    rank: int = Field(8, ge=1)
    alpha: int = Field(16, ge=1)
    """An update is scaled by alpha / rank."""
    lora_dropout: float = Field(0.1, ge=0, lt=1)
    targets: Literal["attention", "all"] = "all"
    """Which linear layers of the encoder get an update: those of query, key and value, or all."""


class Frozen(Training, Head):
    """A head trained on what a frozen encoder gives; each row is encoded once."""

    needs_encoder: ClassVar[bool] = True
    space = {
        "learning_rate": Between(1e-3, 1e-1),
        "epochs": (10, 20, 40),
        "pooling": ("cls", "mean", "mean_last_four"),
    }

    learning_rate: float = Field(1e-2, gt=0)
    epochs: float = Field(20, gt=0)
    pooling: Literal["cls", "mean", "mean_last_four"] = "cls"
    """Of texts: the first token, the mean of all tokens, or the mean of all tokens over the last four layers."""
    max_length: int | None = Field(None, ge=8)

    def unread(self, task_type: TaskType) -> frozenset[str]:
        return super().unread(task_type) | (set() if task_type == TEXTS else {"pooling"})


class Probe(Recipe):
    """Logistic regression on a frozen encoder's pooled embeddings, by scikit-learn."""

    task_types: ClassVar[tuple[TaskType, ...]] = (TEXTS,)
    needs_encoder: ClassVar[bool] = True
    space = {"c": Between(1e-3, 1e1), "pooling": ("cls", "mean", "mean_last_four")}

    pooling: Literal["cls", "mean", "mean_last_four"] = "cls"
    c: float = Field(0.1, gt=0)
    """Inverse strength of the L2 penalty, on features of zero mean and unit variance."""
    class_weights: Literal["none", "balanced"] = "none"
    max_length: int | None = Field(None, ge=8)


class Recurrent(Training):
    """An LSTM over a frozen encoder's token embeddings; each row is encoded once."""

    needs_encoder: ClassVar[bool] = True
    space = {
        "learning_rate": Between(3e-4, 3e-2),
        "epochs": (5, 10, 20),
        "hidden_size": (64, 128, 256),
        "dropout": (0.1, 0.3, 0.5),
    }

    learning_rate: float = Field(3e-3, gt=0)
    epochs: float = Field(10, gt=0)
    weight_decay: float = Field(0.0, ge=0)
    hidden_size: int = Field(128, ge=1)
    """Of each direction."""
    bidirectional: bool = True
    attention: bool = False
    """Texts: the head reads the mean of all states weighted by attention (Zhou et al. 2016), not the last states."""
    masked_attention: bool = True
    """false: rows are padded to max_length and the padding takes part, as in a source that calls it a bug. Without
    attention the last states are then those after the padding."""
    padding: Annotated[Literal["states", "zeros"], Neutral("zeros")] = "states"
    """What stands there where it takes part. states: what the encoder gives for its padding piece; zeros: nothing, as
    word2vec's always is."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Before and after the LSTM."""
    max_length: int | None = Field(None, ge=8)

    def misfit(self, task: Task) -> str | None:
        if task.type != TEXTS and self.attention:
            return "with attention gives one class a text, no tags"
        if task.type != TEXTS and not self.masked_attention:
            return "reads padding in texts alone"
        if task.type != TEXTS and not self.bidirectional:
            return "tags with the words on both sides only"
        return super().misfit(task)

    def unread(self, task_type: TaskType) -> frozenset[str]:
        return super().unread(task_type) | ({"padding"} if self.masked_attention else set())


class Word2vecRecurrent(Recurrent):
    """An LSTM over frozen word2vec vectors, which gensim trains on the task's training rows."""

    needs_encoder: ClassVar[bool] = False

    learning_rate: float = Field(1e-2, gt=0)
    epochs: float = Field(15, gt=0)
    vectors: str | None = Field(None, min_length=1)
    """A local file of pretrained vectors in word2vec's text or binary format, perhaps gzipped, in which lower-cased
    words are looked up; none: trained on the training rows, by the next five fields."""
    algorithm: Literal["skipgram", "cbow"] = "skipgram"
    vector_size: int = Field(100, ge=1)
    window: int = Field(10, ge=1)
    """Words on either side that count as near."""
    min_count: int = Field(1, ge=1)
    """Rarer words have no vector of their own."""
    word2vec_epochs: int = Field(20, ge=1)
    cleaning: bool = False
    """Leaves out English stop words ('no' and 'not' among them) and punctuation, as one source did."""

    @property
    def file(self) -> Path | None:
        """Where the pretrained vectors are."""
        return None if self.vectors is None else file_of(self.vectors)

    def unread(self, task_type: TaskType) -> frozenset[str]:
        own = {"algorithm", "vector_size", "window", "min_count", "word2vec_epochs"}
        return super().unread(task_type) | {"padding"} | (own if self.vectors else set())

    def misfit(self, task: Task) -> str | None:
        if task.type != TEXTS and self.cleaning:
            return "with cleaning leaves out words, which all need tags"
        return super().misfit(task)


def file_of(name: str) -> Path:
    """Where a file is that a recipe names: '~' is somebody's home, unless nobody here has that name."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)
