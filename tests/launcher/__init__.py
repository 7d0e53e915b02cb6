"""Tests of ./run, the servers it starts and the demo's supervisor."""
