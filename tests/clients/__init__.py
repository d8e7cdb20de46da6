"""Clients that others' tools make of the house's own document, and wallets as their libraries ship them."""
