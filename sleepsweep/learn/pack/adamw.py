"""AdamW of several runs at once, each with its own learning rate, decay and count of steps."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from sleepsweep.learn.pretrain import Pretraining


class StackedAdamW:
    """`torch.optim.AdamW` (Loshchilov & Hutter 2019, algorithm 2) on a matrix, a run in each row.

    It goes on from what the optimisers of the runs hold, which `leave` gives back to them.
    """

    def __init__(self, runs: Sequence[Pretraining], weights: Tensor) -> None:
        """`weights` (run, parameter), those of each run one after the other, are changed in place.

        The runs share betas and ε, as all of ours do.
        """
        self._weights = weights
        self._mean, self._square = (torch.zeros_like(weights) for _ in range(2))
        groups = [run.optimiser.param_groups[0] for run in runs]
        (self._first, self._second), self._eps = groups[0]["betas"], groups[0]["eps"]
        self._decay = torch.tensor([group["weight_decay"] for group in groups], dtype=torch.float64)
        self._done = torch.zeros(len(runs), dtype=torch.float64)
        self._rates = [group["lr"] for group in groups]
        for row, run in enumerate(runs):
            for parameter, mean, square in self._held(run, row):
                if state := run.optimiser.state.get(parameter):
                    self._done[row] = float(state["step"])
                    mean.copy_(state["exp_avg"])
                    square.copy_(state["exp_avg_sq"])

    @torch.no_grad()
    def step(self, gradient: Tensor, rates: Sequence[float]) -> None:
        """Take a step with a gradient (run, parameter) and a learning rate for each run."""
        self._rates = [*rates]
        self._done += 1
        rate = torch.tensor(rates, dtype=torch.float64)
        # A number a run each, on their way to the device together.
        kept, size, root = torch.stack([
            1 - rate * self._decay,
            rate / (1 - self._first**self._done),
            (1 - self._second**self._done).sqrt(),
        ])[:, :, None].to(self._weights)  # fmt: skip
        self._mean.lerp_(gradient, 1 - self._first)
        self._square.mul_(self._second).addcmul_(gradient, gradient, value=1 - self._second)
        change = self._mean / self._square.sqrt().div_(root).add_(self._eps)
        self._weights.mul_(kept).sub_(change.mul_(size))

    def leave(self, runs: Sequence[Pretraining]) -> None:
        """Give the optimisers of the runs what they would hold by themselves."""
        for row, (run, rate) in enumerate(zip(runs, self._rates, strict=True)):
            run.optimiser.param_groups[0]["lr"] = rate
            for parameter, mean, square in self._held(run, row):
                run.optimiser.state[parameter] = {
                    "step": self._done[row].float(),
                    "exp_avg": mean.clone(),
                    "exp_avg_sq": square.clone(),
                }

    def _held(self, run: Pretraining, row: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Yield each parameter of a run, its mean gradient and mean square here, shaped alike."""
        parameters = run.optimiser.param_groups[0]["params"]
        sizes = [parameter.numel() for parameter in parameters]
        means, squares = torch.split(self._mean[row], sizes), torch.split(self._square[row], sizes)
        for parameter, mean, square in zip(parameters, means, squares, strict=True):
            yield parameter, mean.view(parameter.shape), square.view(parameter.shape)
