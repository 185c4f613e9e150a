"""The desk page: what tracers, supervisors, auditors, heads and viewers see in a browser (docs/desk.md).

It runs in a process of its own (`truyvet up` starts it, or `truyvet desk serve`), so that its toolkit costs the start
of `up` nothing and its faults end nothing but the page.
"""
