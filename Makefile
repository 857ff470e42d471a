.PHONY: check test slow bench docs constraints

check:  ## linters and types
	ruff check .
	ruff format --check .
	mypy

test:  ## the tests that take seconds each
	pytest -n 2 --dist loadfile

slow:  ## simulation studies, benchmarks in small, a real browser
	pytest -m "slow or browser"

bench:  ## all that is asked of speed, in less than 20 minutes
	python -m benchmarks.performance

docs:  ## the site, with every link checked
	mkdocs build --strict

# Without the name of torch's build: who installs says where that one comes from.
constraints:  ## pins what pyproject.toml asks for; newer releases of it all by UPGRADE=--upgrade
	CUSTOM_COMPILE_COMMAND="make constraints" pip-compile $(UPGRADE) --quiet --all-extras --all-build-deps \
	  --allow-unsafe --strip-extras --no-emit-options --annotation-style=line \
	  --output-file=constraints.txt pyproject.toml
	sed -i 's/^\(torch==[0-9.]*\)+cpu/\1    /' constraints.txt
