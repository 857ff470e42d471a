.PHONY: check test slow bench docs

check:  ## linters and types
	ruff check .
	ruff format --check .
	mypy

test:  ## the tests that take seconds each
	pytest

slow:  ## simulation studies, benchmarks in small, a real browser
	pytest -m "slow or browser"

bench:  ## all that is asked of speed, in less than 20 minutes
	python -m benchmarks.performance

docs:  ## the site, with every link checked
	mkdocs build --strict
