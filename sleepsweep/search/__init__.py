"""Which trials are drawn, and which go on: samplers, schedulers, what a search knows."""
