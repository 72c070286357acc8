"""Faults on purpose: each strikes a server while people chat through it, and what that cost them is measured.

`account` computes the cost from what was said and heard, `crowd` are the people, `stage` is the server (or several hosts)
and the rule of a run; one module for each kind of fault; `table` writes what came out into docs/operations.md.
"""
