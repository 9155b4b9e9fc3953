"""The tree drawn on top of errors.py is the tree of the classes."""

import inspect
import re

from shared_code import errors


def drawn() -> dict[str, str]:
    """The parent of each class, by the depth at which the docstring draws it."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"((?:│   |    )*)(├── |└── |)([A-Z]\w+)\s{2,}\S", line)
        if found is None:
            continue
        depth = len(found[1]) // 4 + bool(found[2])
        del path[depth:]
        parents[found[3]] = path[-1] if path else "Exception"
        path.append(found[3])
    return parents


def test_the_drawn_tree_is_the_tree() -> None:
    classes = {
        name: kind.__bases__[0].__name__
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.StewardError)
    }

    assert drawn() == classes


def test_settings_error_lists_every_problem() -> None:
    error = errors.SettingsError(["first", "second"])

    assert error.problems == ["first", "second"]
    assert str(error) == "first\nsecond"
