# Shudian 蜀电链. Needs make, python3 >= 3.11 with venv, and a package index for the first `make setup`.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
UV_VERSION := 0.13.9
# More words for the command: make demo ARGS="--days 3"
ARGS ?=
# make setup FAST=1 installs optional libraries that verify signatures faster (Linux on x86-64 with AVX-512 IFMA) and compile settlement's columns
FAST ?=

.PHONY: help
help: ## this list 本说明
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

.PHONY: setup
setup: $(VENV)/product.stamp compiled $(if $(FAST),$(VENV)/fast.stamp) ## install the product into .venv, compiled where there is a C compiler; FAST=1 with faster signatures and settlement 安装
	@echo "就绪 ready: $(BIN)/shudian"

.PHONY: demo
demo: $(VENV)/product.stamp ## run the sandbox market 沙盒演示
	@$(BIN)/shudian demo $(ARGS)

.PHONY: bench
bench: compiled ## measure 性能测试
	@$(BIN)/shudian bench $(ARGS)

.PHONY: test
test: lint compiled ## lint, types, walls and all tests 全部检查
	$(BIN)/pytest -q -n 2 $(ARGS)
	@if $(BIN)/python -m shudian.tools.compiling --can; then \
	  echo "以编译形式再测一部分 a part of the tests again, compiled"; \
	  SHUDIAN_KERNEL=compiled $(BIN)/pytest -q -n 2 $(COMPILED_TESTS); \
	else echo "跳过编译形式的测试 the tests of the compiled form stand aside"; fi

# The kernel and the rules, told their order by hand, by chance and by a crash.
COMPILED_TESTS = tests/unit/test_compiled.py $(wildcard tests/unit/test_kernel_*.py tests/unit/test_trading*.py tests/unit/test_funds*.py \
	tests/unit/test_identity*.py) tests/unit/test_authority.py tests/unit/test_bad_input.py tests/unit/test_resources.py \
	tests/unit/test_clearing_book.py tests/property/test_market_machine.py tests/node/test_crash.py tests/node/test_embedded.py

.PHONY: lint
lint: $(VENV)/dev.stamp ## style, types and walls 静态检查
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

.PHONY: soak
soak: $(VENV)/dev.stamp ## many more generated cases, 50,000 simulated worlds, half an hour of fuzzing 长时随机测试
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest -q -n 2 tests $(ARGS)
	$(BIN)/shudian simulate --count 50000 --jobs 2

.PHONY: reference
reference: setup ## generate docs/reference anew 生成参考文档
	@$(BIN)/python -m shudian.tools.reference docs/reference

.PHONY: docs
docs: $(VENV)/dev.stamp ## examples in docstrings run, links in documents lead somewhere 文档检查
	$(BIN)/pytest -q src/shudian tests/unit/test_docs.py

.PHONY: lock
lock: ## write the locks from pyproject.toml; ARGS=--upgrade for newer versions 更新锁定文件
	@rm -rf build/lock && mkdir -p build
	@$(PYTHON) -m venv build/lock
	@build/lock/bin/python -m pip --quiet --disable-pip-version-check install uv==$(UV_VERSION)
	@$(UV_COMPILE) --group build --output-file requirements.lock
	@$(UV_COMPILE) --group build --extra fast --constraints requirements.lock --output-file requirements-fast.lock
	@$(UV_COMPILE) --group build --group compile --constraints requirements.lock --output-file requirements-compile.lock
	@$(UV_COMPILE) --group build --group compile --group dev --extra fast --constraints requirements-compile.lock --output-file requirements-dev.lock
	@rm -rf build/lock

# One version of each package for every Python and platform; --no-config: a machine's own index settings stay out.
UV_COMPILE = build/lock/bin/uv --no-config pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command 'make lock' $(ARGS)

.PHONY: clean
clean: ## remove .venv, builds and caches 清理
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "需要 Python 3.11 或更高版本：请安装，或用 make PYTHON=/路径/python3 指定。" >&2; \
	  echo "Python 3.11 or newer is needed: install it, or name one with make PYTHON=/path/to/python3." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "缺少 Python 的 venv 模块：Debian 请安装 python3-venv。" >&2; \
	  echo "Python's venv module is missing: on Debian install python3-venv." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

# The product is installed in place: what is in src/ is what runs.
$(VENV)/product.stamp: requirements.lock pyproject.toml $(VENV)/pyvenv.cfg
	@echo "安装依赖（约一分钟）… installing dependencies (about a minute) ..."
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/fast.stamp: requirements-fast.lock $(VENV)/product.stamp
	@echo "安装加速库… installing the fast libraries ..."
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-fast.lock
	@touch $@

# The hot path is compiled where that is possible, and anew when a source of it changed; elsewhere plain Python goes on, and says so.
# Bytecode is laid down here once: where PYTHONDONTWRITEBYTECODE is set, every command and every front would translate the sources anew.
.PHONY: compiled
compiled: $(VENV)/product.stamp
	@$(BIN)/python -m compileall -q src
	@if $(BIN)/python -m shudian.tools.compiling --can; then \
	  { $(MAKE) --silent $(VENV)/compiler.stamp && $(BIN)/python -m shudian.tools.compiling; } || \
	  echo "以纯 Python 运行 plain Python runs"; fi

$(VENV)/compiler.stamp: requirements-compile.lock $(VENV)/product.stamp
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-compile.lock
	@touch $@

# The tests run every back end that the processor can, so the fast libraries are among their tools.
$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/product.stamp
	@echo "安装开发工具… installing the tools for tests ..."
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-dev.lock
	@touch $@
