"""Providers: every type of the estate, and which of them can carry tags."""

from devkit.simulator.providers import OF_RESOURCE_MANAGER, TYPES_WITHOUT_TAGS, providers


def types_of(*names: str) -> dict[str, str]:
    return {
        f"{provider['namespace']}/{kind['resourceType']}": kind["capabilities"]
        for provider in providers("s", names)
        for kind in provider["resourceTypes"]
    }


def test_types_of_the_estate_support_tags() -> None:
    assert "SupportsTags" in types_of("Microsoft.Web/sites")["Microsoft.Web/sites"]


def test_one_type_in_two_spellings_is_one() -> None:
    assert len(types_of("Microsoft.Web/serverFarms", "microsoft.web/serverfarms")) == len(
        types_of("Microsoft.Web/sites")
    )


def test_some_types_never_do() -> None:
    found = types_of()

    assert set(found) == {*TYPES_WITHOUT_TAGS, *OF_RESOURCE_MANAGER}
    assert {found[name] for name in TYPES_WITHOUT_TAGS} == {"None"}
