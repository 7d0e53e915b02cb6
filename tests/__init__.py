"""Tests of Alliance."""
