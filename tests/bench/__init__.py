"""`./run bench`: what a registration and a programme page cost, beside the least that could be done instead."""
