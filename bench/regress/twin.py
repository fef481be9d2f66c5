"""A tree's packages in this process under another name, so that two trees take turns in one.

Between two processes of identical code the ratio of times was seen to vary by 9 % (standard
deviation), within one process by about 1 %. A finder loads ``PREFIXmedspectralnet`` from the tree's
``medspectralnet`` with every absolute import of a package under trial renamed in its syntax tree,
so that a twin imports its own side alone. What code registers with timm or with torch's operators
while a twin is active is kept apart too.

Limit: code that reaches another part of itself by a name in a string (``torch.ops.mine.scan``,
``importlib.import_module("mine.part")``) is not renamed; what it finds is not the twin's.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import importlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from timm.models import _registry

from bench.errors import InputError
from bench.regress.tree import Tree


class Twin:
    """One tree's packages under a prefix; a context manager, which forgets them at its end.

    Args:
        prefix: no other twin's, such as ``baseline_``.
        imports: packages that register models; all of their modules are loaded at once.

    Raises:
        InputError: the tree cannot be imported so.
    """

    def __init__(
        self, tree: Tree, prefix: str, packages: Sequence[str], imports: Sequence[str]
    ) -> None:
        self.tree, self.prefix = tree, prefix
        self.packages, self.imports = tuple(packages), tuple(imports)
        self._finder = _Finder(tree.folder, prefix, self.packages)
        self._registry: dict[str, Any] = {}

    def __enter__(self) -> Twin:
        sys.meta_path.insert(0, self._finder)
        self._registry = _without(_tables(), self.packages)
        try:
            with self.active():
                for package in self.imports:
                    importlib.import_module(self.prefix + package)
        except Exception as error:  # whatever the tree's code raises while it is imported
            self.__exit__()
            raise InputError(
                f"{self.tree.label} cannot be imported beside the other tree: "
                f"{type(error).__name__}: {error}",
                remedy="see docs/regression.md on what an import may do",
                key="imports",
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self._finder)
        for name in [name for name in sys.modules if name.startswith(self.prefix)]:
            del sys.modules[name]

    def module(self, name: str) -> ModuleType:
        """The tree's module of this name, if its package is under trial; else this process's."""
        if name.partition(".")[0] not in self.packages:
            return importlib.import_module(name)
        with self.active():
            return importlib.import_module(self.prefix + name)

    @contextlib.contextmanager
    def active(self) -> Iterator[None]:
        """Inside, timm knows this tree's models, and new operators of torch get its prefix."""
        before = _tables()
        _put(self._registry)
        try:
            with _renamed_operators(self.prefix):
                yield
        finally:
            self._registry = _tables()
            _put(before)

    def owns(self, thing: object) -> bool:
        """Whether an object's class was defined by this tree."""
        return type(thing).__module__.startswith(self.prefix)


def _tables() -> dict[str, Any]:
    """A copy of timm's tables of models, by their names in its module."""
    return {
        name: _copied(table)
        for name, table in vars(_registry).items()
        if name.startswith("_") and not name.startswith("__") and isinstance(table, dict | set)
    }


def _copied(table: Any) -> Any:
    again = copy.copy(table)
    if isinstance(again, dict):
        for key, value in again.items():
            if isinstance(value, dict | set | list):
                again[key] = copy.copy(value)
    return again


def _put(tables: dict[str, Any]) -> None:
    for name, table in tables.items():
        setattr(_registry, name, table)


def _without(tables: dict[str, Any], packages: Sequence[str]) -> dict[str, Any]:
    """The tables without what the packages under trial registered in this process.

    A twin that lacks a model then has none, instead of this process's.
    """
    ours = {
        name
        for name, function in tables["_model_entrypoints"].items()
        if function.__module__.partition(".")[0] in packages
    }
    for table in tables.values():
        for name in [key for key in table if str(key).partition(".")[0] in ours]:
            table.discard(name) if isinstance(table, set) else table.pop(name)
    for names in tables["_module_to_models"].values():
        names -= ours
    return tables


@contextlib.contextmanager
def _renamed_operators(prefix: str) -> Iterator[None]:
    """A second operator of one name would silently take the place of the first."""
    before = torch.library.custom_op

    def custom_op(name: str, *args: Any, **kwargs: Any) -> Any:
        return before(prefix + name, *args, **kwargs)

    torch.library.custom_op = custom_op
    try:
        yield
    finally:
        torch.library.custom_op = before


class _Finder(MetaPathFinder):
    def __init__(self, folder: Path, prefix: str, packages: Sequence[str]) -> None:
        self._folder, self._prefix, self._packages = folder, prefix, packages

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        parts = name.removeprefix(self._prefix).split(".")
        if not name.startswith(self._prefix) or parts[0] not in self._packages:
            return None
        place = self._folder.joinpath(*parts)
        package = place / "__init__.py"
        file = package if package.is_file() else place.with_suffix(".py")
        if not file.is_file():
            return None
        return spec_from_file_location(
            name,
            file,
            loader=_Loader(name, str(file), self._prefix, self._packages),
            submodule_search_locations=[str(place)] if file is package else None,
        )


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, prefix: str, packages: Sequence[str]) -> None:
        super().__init__(name, path)
        self._prefix, self._packages = prefix, packages

    def path_stats(self, path: Any) -> Any:
        """No bytecode is read or kept: it would be taken for that of the module's own name."""
        raise OSError

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> Any:  # type: ignore[override]
        tree = _Renaming(self._prefix, self._packages).visit(ast.parse(data, filename=str(path)))
        code = ast.fix_missing_locations(tree)
        return compile(code, path, "exec", dont_inherit=True, optimize=_optimize)


class _Renaming(ast.NodeTransformer):
    """Absolute imports of the packages under trial get the prefix; names in the code stay."""

    def __init__(self, prefix: str, packages: Sequence[str]) -> None:
        self._prefix, self._packages = prefix, packages

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.level == 0 and node.module and self._judged(node.module):
            node.module = self._prefix + node.module
        return node

    def visit_Import(self, node: ast.Import) -> list[ast.AST]:
        return [ast.copy_location(found, node) for one in node.names for found in self._one(one)]

    def _one(self, name: ast.alias) -> list[ast.stmt]:
        if not self._judged(name.name):
            return [ast.Import([name])]
        renamed = self._prefix + name.name
        if name.asname is not None:
            return [ast.Import([ast.alias(renamed, name.asname)])]
        top = name.name.partition(".")[0]  # ``import a.b`` binds ``a``
        return [ast.Import([ast.alias(renamed)]), ast.Import([ast.alias(self._prefix + top, top)])]

    def _judged(self, module: str) -> bool:
        return module.partition(".")[0] in self._packages
