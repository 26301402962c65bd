"""Ten modules as people write them, with the shapes at which they are traced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["MODULES", "Row"]


@dataclass(frozen=True)
class Row:
    """A module's maker, the shapes of its arguments, and the sizes at which it is tried."""

    make: Callable[[], nn.Module]
    shapes: dict[str, str]
    sizes: tuple[dict[str, int], ...] = ({"b": 3}, {"b": 5})
    slow: tuple[str, ...] = field(default=())

    def module(self) -> nn.Module:
        """The module, of float64, with the same parameters each time."""
        torch.manual_seed(0)
        module = self.make().double()
        for buffer in module.buffers():
            if buffer.is_floating_point():
                buffer.uniform_(1, 2)
        return module


class Squared(nn.Module):
    """Half the squared distance of a layer's output to a target."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Any, t: Any) -> Any:
        y = self.layer(x)
        return ((y - t) ** 2).sum() / 2


class Attention(nn.Module):
    """nn.MultiheadAttention on itself."""

    def __init__(self, heads: int, weights: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(4, heads, batch_first=True)
        self.weights = weights

    def forward(self, x: Any, t: Any) -> Any:
        o, _ = self.attention(x, x, x, need_weights=self.weights)
        return ((o - t) ** 2).sum()


class Recurrent(nn.Module):
    """One step of a GRU."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(3, 4)

    def forward(self, x: Any, h: Any) -> Any:
        return (self.cell(x, h) ** 2).sum()


class Residual(nn.Module):
    """A block of a ResNet: two convolutions, batch normalisation between them, and the input again."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 2, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(2)
        self.conv2 = nn.Conv2d(2, 2, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Any) -> Any:
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.conv2(out)
        out += identity
        return (self.relu(out) ** 2).sum()


class Transformer(nn.Module):
    """A block of a transformer, normalised first."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(4), nn.LayerNorm(4)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 4))

    def forward(self, x: Any, t: Any) -> Any:
        n = self.first(x)
        x = x + self.attention(n, n, n, need_weights=False)[0]
        x = x + self.mlp(self.second(x))
        return ((x - t) ** 2).sum()


class Logistic(nn.Module):
    """Logistic regression."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 1)

    def forward(self, x: Any, t: Any) -> Any:
        z = self.linear(x).squeeze(-1)
        return F.binary_cross_entropy_with_logits(z, t)


class Autoencoder(nn.Module):
    """The loss of a variational autoencoder; the noise is an argument."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(5, 4), nn.Linear(2, 5)
        self.mean, self.logvar = nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x: Any, eps: Any) -> Any:
        h = torch.tanh(self.encoder(x))
        mu, logvar = self.mean(h), self.logvar(h)
        z = mu + eps * torch.exp(0.5 * logvar)
        p = torch.sigmoid(self.decoder(z))
        bce = F.binary_cross_entropy(p, x, reduction="sum")
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return bce + kl


LENGTHS = ({"n": 3}, {"n": 2})

MODULES: dict[str, Row] = {
    "linear": Row(lambda: Squared(nn.Linear(3, 4)), {"x": "b 3", "t": "b 4"}),
    "layer norm": Row(lambda: Squared(nn.LayerNorm(4)), {"x": "b 4", "t": "b 4"}),
    "batch norm": Row(lambda: Squared(nn.BatchNorm1d(4)), {"x": "b 4", "t": "b 4"}),
    "batch norm, eval": Row(lambda: Squared(nn.BatchNorm1d(4)).eval(), {"x": "b 4", "t": "b 4"}),
    "attention": Row(lambda: Attention(2, False), {"x": "n 4", "t": "n 4"}, LENGTHS),
    "attention with weights": Row(lambda: Attention(2, True), {"x": "b 3 4", "t": "b 3 4"}),
    "convolution": Row(lambda: Squared(nn.Conv2d(2, 3, 3)), {"x": "b 2 5 5", "t": "b 3 3 3"}),
    "gru": Row(Recurrent, {"x": "b 3", "h": "b 4"}),
    "resnet": Row(Residual, {"x": "b 2 4 4"}),
    "transformer": Row(Transformer, {"x": "n 4", "t": "n 4"}, LENGTHS),
    "logistic regression": Row(Logistic, {"x": "b 3", "t": "b"}),
    "vae": Row(Autoencoder, {"x": "b 5", "eps": "b 2"}),
}
