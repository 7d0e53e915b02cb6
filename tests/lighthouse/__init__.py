"""Lighthouse over the main pages: `./run lighthouse`."""
