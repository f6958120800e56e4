# All work happens in .venv, which is set up again when pyproject.toml changes.
# Another Python: make clean, then make PYTHON=python3.12 run

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet

# Series of kernels for the vm targets, such as KERNELS="6.18 7.3".
KERNELS =
# Minutes that vm-kernels may take.
WITHIN = 600

.PHONY: run test share lint pictures clean system vm-kernels vm-test vm-fixtures bench fuzz

run: $(VENV)/ready-to-run
	$(BIN)/kho-console demo

test: lint
	@command -v dtc >/dev/null || { \
	  echo 'dtc is missing (Debian: device-tree-compiler). Tests that compare with it are skipped, in:'; \
	  grep -rlE --include='*.py' 'which\(.dtc.\)' tests || echo '(no test asks for it)'; } >&2
	$(BIN)/python -m pytest -n 2 --dist loadfile -m 'not vm' --durations=10

# The manual and the completions that are installed with the console.
share: $(VENV)/ready-to-run
	$(BIN)/python -m kho_console man >kho_console/share/man/man1/kho-console.1
	$(BIN)/python -m kho_console man config >kho_console/share/man/man5/kho-console-config.5
	$(BIN)/python -m kho_console completion bash >kho_console/share/bash-completion/completions/kho-console
	$(BIN)/python -m kho_console completion zsh >kho_console/share/zsh/site-functions/_kho-console
	$(BIN)/python -m kho_console completion fish >kho_console/share/fish/vendor_completions.d/kho-console.fish

lint: $(VENV)/ready-to-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

vm-kernels: $(VENV)/ready-to-test
	$(BIN)/python -m tests.vm.kernels --within $(WITHIN) $(KERNELS)

vm-test: $(VENV)/ready-to-test
	KHO_VM_KERNELS='$(KERNELS)' $(BIN)/python -m pytest -p tests.vm.summary -m vm tests/vm/scenes

vm-fixtures: $(VENV)/ready-to-test
	$(BIN)/python -m tests.vm.fixtures $(KERNELS)

# Every screen in every look and size, for people to look at.
pictures: $(VENV)/ready-to-test
	$(BIN)/python -m tests.pilot.pictures_all build/pictures

bench: $(VENV)/ready-to-test
	$(BIN)/python -m tests.bench

# Damaged input for every decoder and every recording; Ctrl-C ends it with what it has found.
# The same again: make fuzz SEED=NUMBER
CASES = 200000
SEED =

fuzz: $(VENV)/ready-to-test
	$(BIN)/python -m tests.fuzz --cases $(CASES) $(if $(SEED),--seed $(SEED))

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find kho_console tests -name __pycache__ -type d -prune -exec rm -rf {} +

system:
	@sh tests/ground/system_check.sh '$(PYTHON)'

$(VENV)/ready-to-run: pyproject.toml | system
	@echo 'Setting up $(VENV), which takes a minute the first time'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --editable .
	touch $@

# The wheels let a test install the console into an empty environment without the network.
$(VENV)/ready-to-test: pyproject.toml | system
	@echo 'Setting up $(VENV) for tests, which takes a minute or two the first time'
	$(PYTHON) -m venv $(VENV)
	rm -rf $(VENV)/wheels
	$(PIP) wheel --wheel-dir $(VENV)/wheels 'hatchling>=1.27' .
	$(PIP) install --find-links $(VENV)/wheels --editable '.[test]'
	touch $@ $(VENV)/ready-to-run
