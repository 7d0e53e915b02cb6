"""Platforms that run in this process: real HTTP on the loopback address, with memory, limits and trouble on demand."""
