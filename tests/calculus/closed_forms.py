"""Closed forms beside torch: one row a formula, and the numbers of both."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from derive.calculus import Derived
from tests.expr.brute import Point, table

__all__ = ["CASES", "NET", "SIZES", "numbers", "softmax", "tensors"]

torch.set_num_threads(1)

SIZES = ({"n": 3, "m": 2, "b": 2, "k": 4}, {"n": 2, "m": 4, "b": 3, "k": 1})

V, M = "x: n, y: n, z: n", "W: m n, x: n, b: m, y: m"
NET = "X: b n, W: n k, c: k, V: k m, Y: b m"


def softmax(z):
    return torch.softmax(z, -1)


# One row: a formula, its shapes, the variables that it is differentiated by, and what torch calls it.
ROWS: list[tuple[str, str, str, Any]] = [
    ("sum(x*y)", V, "x", lambda x, y: (x * y).sum()),
    ("mean((y - x)**2)", V, "x y", lambda x, y: ((y - x) ** 2).mean()),
    ("sum(x)**3", V, "x", lambda x: x.sum() ** 3),
    ("sum(x)*sum(x*y)/sum(y**2)", V, "x y", lambda x, y: x.sum() * (x * y).sum() / (y**2).sum()),
    ("norm(x)", V, "x", lambda x: x.norm()),
    ("norm(x - y, 3)", V, "x y", lambda x, y: (x - y).abs().pow(3).sum() ** (1 / 3)),
    ("norm(x*y, 1)", V, "y", lambda x, y: (x * y).abs().sum()),
    ("norm(x, 3/2)", V, "x", lambda x: x.abs().pow(1.5).sum() ** (2 / 3)),
    ("norm(x)**2/2", V, "x", lambda x: x.norm() ** 2 / 2),
    ("x/norm(x)", V, "x", lambda x: x / x.norm()),
    ("log(sum(exp(x)))", V, "x", lambda x: x.exp().sum().log()),
    ("logsumexp(x*y)", V, "x", lambda x, y: torch.logsumexp(x * y, 0)),
    ("softmax(x)", V, "x", lambda x: torch.softmax(x, 0)),
    ("log_softmax(x)", V, "x", lambda x: torch.log_softmax(x, 0)),
    ("sum(y*log(softmax(x)))", V, "x y", lambda x, y: (y * softmax(x).log()).sum()),
    ("s = softmax(x); outer(s, s)", V, "x", lambda x: torch.outer(softmax(x), softmax(x))),
    ("sum(sigmoid(x)**2)/2", V, "x", lambda x: (torch.sigmoid(x) ** 2).sum() / 2),
    ("sum(tanh(x*y) + softplus(x))", V, "x", lambda x, y: (torch.tanh(x * y) + F.softplus(x)).sum()),
    ("relu(x)*y", V, "x", lambda x, y: F.relu(x) * y),
    ("sum(where(x > 0, x*y, x**2))", V, "x y", lambda x, y: torch.where(x > 0, x * y, x**2).sum()),
    ("maximum(x, y)*minimum(y, z)", V, "y", lambda x, y, z: torch.maximum(x, y) * torch.minimum(y, z)),
    ("sum(abs(x) + leaky_relu(y, 1/10))", V, "x y", lambda x, y: (x.abs() + F.leaky_relu(y, 0.1)).sum()),
    ("elu(x)*gelu(y) + silu(x)", V, "x", lambda x, y: F.elu(x) * F.gelu(y) + F.silu(x)),
    ("sin(x)*exp(-x**2)/(2 + cos(x))", V, "x", lambda x: x.sin() * (-(x**2)).exp() / (2 + x.cos())),
    ("sum(2**x*(1 + x**2)**y)", V, "x y", lambda x, y: (2**x * (1 + x**2) ** y).sum()),
    (
        "erf(x) + atan(y*x) + lgamma(2 + x**2)",
        V,
        "x",
        lambda x, y: x.erf() + (y * x).atan() + (2 + x**2).lgamma(),
    ),
    ("x[0]*x + y[1]*x[-1]", V, "x y", lambda x, y: x[0] * x + y[1] * x[-1]),
    ("W @ x", M, "W x", lambda W, x: W @ x),
    ("y @ W @ x", M, "W x y", lambda W, x, y: y @ W @ x),
    ("W.T @ (W @ x - y)", M, "x W", lambda W, x, y: W.T @ (W @ x - y)),
    ("norm(W @ x + b - y)**2/2", M, "W x b", lambda W, x, b, y: (W @ x + b - y).norm() ** 2 / 2),
    ("sum(sigmoid(W @ x + b))", M, "W b", lambda W, x, b: torch.sigmoid(W @ x + b).sum()),
    ("sum(softmax(W, 1)*outer(y, x))", M, "W", lambda W, x, y: (softmax(W) * torch.outer(y, x)).sum()),
    ("sum(softmax(W, 0)**2)", M, "W", lambda W: (torch.softmax(W, 0) ** 2).sum()),
    ("mean(W, 1)*y + sum(W*x, 1)", M, "W", lambda W, x, y: W.mean(1) * y + (W * x).sum(1)),
    ("W - mean(W)", M, "W", lambda W: W - W.mean()),
    ("x @ S @ x", "x: n, S: n n", "x S", lambda x, S: x @ S @ x),
    ("trace(S @ S.T @ S)", "S: n n", "S", lambda S: torch.trace(S @ S.T @ S)),
    ("S @ S", "S: n n", "S", lambda S: S @ S),
    ("sum(S)*trace(S) - S[0, 1]", "S: n n", "S", lambda S: S.sum() * torch.trace(S) - S[0, 1]),
    (
        "r = x - mean(x); r/sqrt(mean(r**2) + 1/10)",
        V,
        "x",
        lambda x: (x - x.mean()) / (x.var(correction=0) + 0.1) ** 0.5,
    ),
    (
        "o = sigmoid(X @ W + c); E = mean((o - X @ W)**2)",
        NET,
        "W c",
        lambda X, W, c: ((torch.sigmoid(X @ W + c) - X @ W) ** 2).mean(),
    ),
    (
        "h = tanh(X @ W + c); l = mean((h @ V - Y)**2)",
        NET,
        "X W c V",
        lambda X, W, c, V, Y: ((torch.tanh(X @ W + c) @ V - Y) ** 2).mean(),
    ),
    (
        "p = sigmoid(X @ w); l = -mean(y*log(p) + (1 - y)*log(1 - p))",
        "X: b n, w: n, y: b",
        "w X",
        lambda X, w, y: -(y * torch.sigmoid(X @ w).log() + (1 - y) * (1 - torch.sigmoid(X @ w)).log()).mean(),
    ),
    (
        "l = -sum(Y*log(softmax(Z, 1)))/b",
        "Z: b n, Y: b n",
        "Z",
        lambda Z, Y: -(Y * softmax(Z).log()).sum() / Z.shape[0],
    ),
    (
        "A = softmax(Q @ K.T/sqrt(n), 1); O = A @ V",
        "Q: b n, K: m n, V: m k",
        "Q K V",
        lambda Q, K, V: softmax(Q @ K.T / Q.shape[1] ** 0.5) @ V,
    ),
    (
        "u = x*x; v = u + sin(u); w = u*v; l = sum(w*v) + sum(u)",
        V,
        "x",
        lambda x: ((x * x * (x * x + (x * x).sin())) * (x * x + (x * x).sin())).sum() + (x * x).sum(),
    ),
    (
        "a = tanh(W @ x); d = a*a; e = exp(-d); f = e + a; g = f*d; l = sum(g)*sum(e)",
        M,
        "x W",
        lambda W, x: (
            (((-(torch.tanh(W @ x) ** 2)).exp() + torch.tanh(W @ x)) * torch.tanh(W @ x) ** 2).sum()
            * (-(torch.tanh(W @ x) ** 2)).exp().sum()
        ),
    ),
    ("t = a*c + a; sigmoid(t)*t/c", "a:, c:", "a c", lambda a, c: torch.sigmoid(a * c + a) * (a * c + a) / c),
    ("W*x + sum(W)", "W: 1 n, x: n", "W x", lambda W, x: W * x + W.sum()),
    ("sum(softmax(v))*sum(v**2)", "v: 1", "v", lambda v: (v**2).sum() * softmax(v).sum()),
    ("T*x", "T: b m n, x: n", "T x", lambda T, x: T * x),
]
CASES = [(text, shapes, wrt, fn) for text, shapes, names, fn in ROWS for wrt in names.split()]


def tensors(point: Point, derived: Derived) -> dict[str, torch.Tensor]:
    """The variables at the point, as torch has them."""
    found = {}
    for v in derived.problem.variables:
        numbers = [float(point.tensors[v.name][at]) for at in point.positions(v.dims)]
        found[v.name] = torch.tensor(numbers, dtype=torch.float64).reshape([point.size(d) for d in v.dims])
    return found


def numbers(derived: Derived, point: Point) -> torch.Tensor:
    """The closed form at the point, in the shape that it states."""
    shape = [point.size(i.dim) for i in derived.indices]
    flat = [float(n) for n in table(derived.closed_form, derived.indices, point)]
    return torch.tensor(flat, dtype=torch.float64).reshape(shape)
