"""The catalog: the derivations that ship, one small file a topic. Content only."""

from derive.catalog.entry import Entry, Printed

__all__ = ["Entry", "Printed"]
