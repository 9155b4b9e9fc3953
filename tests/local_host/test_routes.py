import pytest

from devkit.local_host.routes import RouteError, parse_route, split_path


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("api/jobs", "/api/jobs", {}),
        ("api/jobs", "/API/Jobs/", {}),
        ("api/jobs", "/api/jobs/x", None),
        ("api/jobs/{job}", "/api/jobs/Tag-Audit", {"job": "Tag-Audit"}),
        ("api/jobs/{job}", "/api/jobs", None),
        ("api/jobs/{job?}", "/api/jobs", {}),
        ("api/jobs/{job}/runs", "/api/jobs/a%20b/runs", {"job": "a b"}),
        ("api/ids/{id}", "/api/ids/a%2Fb", {"id": "a/b"}),
        ("api/files/{*path}", "/api/files/a/b", {"path": "a/b"}),
        ("api/files/{**path}", "/api/files", {"path": ""}),
        ("api/runs/{run:alpha}", "/api/runs/abc", {"run": "abc"}),
        ("api/runs/{run:alpha}", "/api/runs/a1", None),
        ("api/runs/{run:int}", "/api/runs/-12", {"run": "-12"}),
        ("api/runs/{run:int}", "/api/runs/x", None),
        ("api/runs/{run:alpha:length(3)}", "/api/runs/abc", {"run": "abc"}),
        ("api/runs/{run:alpha:length(3)}", "/api/runs/abcd", None),
        ("api/runs/{run:minlength(2)}", "/api/runs/a", None),
        ("api/runs/{run:maxlength(2)}", "/api/runs/ab", {"run": "ab"}),
        ("api/{id:guid}", "/api/00000000-0000-0000-0000-000000000000", {"id": "00000000-0000-0000-0000-000000000000"}),
        ("api/{id:guid}", "/api/0000", None),
        ("api/{flag:bool}", "/api/True", {"flag": "True"}),
    ],
)
def test_a_path_matches_a_route(template: str, path: str, values: dict[str, str] | None) -> None:
    """Literals match without case, parameters take one part, decoded; constraints narrow them."""
    assert parse_route(template).match(split_path(path)) == values


def test_the_more_specific_route_comes_first() -> None:
    """A literal is preferred to a constrained parameter, that to a free one, and that to the rest of the path."""
    templates = ["api/{*rest}", "api/{run}", "api/{run:int}", "api/latest"]

    ordered = sorted(map(parse_route, templates), key=lambda route: route.precedence)

    assert [str(route) for route in ordered] == ["api/latest", "api/{run:int}", "api/{run}", "api/{*rest}"]


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("api/{a}.{b}", "the part '{a}.{b}' of route 'api/{a}.{b}' is not understood here"),
        ("api/{a:odd}", "the constraint 'odd' of route 'api/{a:odd}' is not understood here"),
        ("api/{a", "the part '{a'"),
    ],
)
def test_what_is_not_played_is_told(template: str, sentence: str) -> None:
    """A route that would be matched wrongly is refused instead."""
    with pytest.raises(RouteError, match=sentence.replace("{", r"\{").replace("}", r"\}")):
        parse_route(template)
