"""Recurrent cells: what torch computes in one call, by the gates that it is made of."""

from __future__ import annotations

from typing import Any

from derive.read.registry import composite
from derive.read.traced import Trace

__all__ = ["gru_cell", "lstm_cell", "rnn_relu_cell", "rnn_tanh_cell"]


def _gates(x: Any, h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, parts: int) -> tuple[Any, Any]:
    """W x + b and U h + c, each in equal parts."""
    from torch.nn.functional import linear

    return linear(x, w_ih, b_ih).chunk(parts, -1), linear(h, w_hh, b_hh).chunk(parts, -1)


@composite("gru_cell")
def gru_cell(trace: Trace, x: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """(1 - z) n + z h, with the gates r, z and n."""
    with trace.watched():
        (xr, xz, xn), (hr, hz, hn) = _gates(x, hx, w_ih, w_hh, b_ih, b_hh, 3)
        r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
        n = (xn + r * hn).tanh()
        for gate, name in ((r, "r"), (z, "z"), (n, "n")):
            trace.authored.setdefault(id(gate), (1, name))
        return (1 - z) * n + z * hx


@composite("lstm_cell")
def lstm_cell(trace: Trace, x: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None) -> Any:
    """c' = f c + i g and h' = o tanh c', with the gates i, f, g and o."""
    hidden, cell = hx
    with trace.watched():
        given, kept = _gates(x, hidden, w_ih, w_hh, b_ih, b_hh, 4)
        into, forget, new, out = (a + b for a, b in zip(given, kept, strict=True))
        gates = into.sigmoid(), forget.sigmoid(), new.tanh(), out.sigmoid()
        for gate, name in zip(gates, "ifgo", strict=True):
            trace.authored.setdefault(id(gate), (1, name))
        i, f, g, o = gates
        c = f * cell + i * g
        trace.authored.setdefault(id(c), (1, "c"))
        return o * c.tanh(), c


@composite("rnn_tanh_cell")
def rnn_tanh_cell(
    trace: Trace, x: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> Any:
    """tanh(W x + b + U h + c)."""
    with trace.watched():
        (a,), (b,) = _gates(x, hx, w_ih, w_hh, b_ih, b_hh, 1)
        return (a + b).tanh()


@composite("rnn_relu_cell")
def rnn_relu_cell(
    trace: Trace, x: Any, hx: Any, w_ih: Any, w_hh: Any, b_ih: Any = None, b_hh: Any = None
) -> Any:
    """relu(W x + b + U h + c)."""
    with trace.watched():
        (a,), (b,) = _gates(x, hx, w_ih, w_hh, b_ih, b_hh, 1)
        return (a + b).relu()
