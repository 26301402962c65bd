from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from derive.expr import nodes
from derive.expr.nodes import Node
from tests.expr.test_tree import NODES

KINDS = [getattr(nodes, name) for name in nodes.__all__ if name != "Node"]


def test_every_node_is_shown_in_the_table_of_the_module():
    assert {kind.__name__ for kind in KINDS} == {kind.__name__ for kind in NODES}
    for kind in KINDS:
        assert f"| {kind.__name__} " in nodes.__doc__


@pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_a_node_is_a_value_that_cannot_be_changed(kind):
    node, _ = NODES[kind]
    assert isinstance(node, Node)
    assert not hasattr(node, "__dict__")
    assert hash(node) == hash(NODES[kind][0])
    with pytest.raises(FrozenInstanceError):
        setattr(node, fields(node)[0].name, None)


def test_nodes_of_two_kinds_are_never_equal():
    examples = [node for node, _ in NODES.values()]
    assert len(set(examples)) == len(examples)
