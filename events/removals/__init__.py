"""Taking somebody or something down at once, and the list of what had left the house before (docs/take-down.md).

subjects  what can be taken down: each app registers its own kind
traces    what may have left: each app registers what it can count
services  taking down, lifting, ticking off
"""
