"""What happens inside a training, seen by torch's own global hooks: the code under test runs as it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook


class Training:
    """model: the trained one; before: its weights as they were; rates, norms: the learning rate and the norm of the
    gradients of every update; modes: module -> whether it ran as in training, of the passes with gradients.
    """

    def __init__(self) -> None:
        self.model: nn.Module | None = None
        self.before: dict[str, torch.Tensor] = {}
        self.rates: list[float] = []
        self.norms: list[float] = []
        self.modes: dict[nn.Module, set[bool]] = defaultdict(set)

    def moved(self) -> set[str]:
        """The names of the weights that are no longer bit for bit what they were."""
        assert self.model is not None
        after = self.model.state_dict()
        assert after.keys() == self.before.keys()
        return {name for name, weights in after.items() if not torch.equal(weights, self.before[name])}

    def _before_pass(self, module: nn.Module, inputs: Any) -> None:
        if self.model is None:
            self.model = module  # the outermost module is called first
            self.before = {name: weights.clone() for name, weights in module.state_dict().items()}

    def _after_pass(self, module: nn.Module, inputs: Any, outputs: Any) -> None:
        if torch.is_grad_enabled():
            self.modes[module].add(module.training)

    def _before_update(self, optimizer: torch.optim.Optimizer, args: Any, settings: Any) -> None:
        weights = [weights for group in optimizer.param_groups for weights in group["params"]]
        norms = [weights.grad.norm() for weights in weights if weights.grad is not None]
        self.norms.append(float(torch.stack(norms).norm()))
        rates = {group["lr"] for group in optimizer.param_groups}
        assert len(rates) == 1
        self.rates.append(float(rates.pop()))


def watched(train: Callable[[], Any]) -> tuple[Training, Any]:
    """What `train` did and what it returned."""
    seen = Training()
    hooks = [
        register_module_forward_pre_hook(seen._before_pass),
        register_module_forward_hook(seen._after_pass),
        register_optimizer_step_pre_hook(seen._before_update),
    ]
    try:
        return seen, train()
    finally:
        for hook in hooks:
            hook.remove()
