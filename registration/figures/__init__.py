"""How many came and who they were, by what is measured (docs/figures.md)."""
