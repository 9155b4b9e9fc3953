"""Which test shows what Steward makes of each irregularity, by number, and what comes with other work."""

from typing import NamedTuple


class Entry(NamedTuple):
    """An irregularity: what it is about, the test classes or functions that show it, and what else brings more."""

    about: str
    tests: tuple[str, ...] = ()
    comes_with: str = ""


LATER: dict[str, str] = {}
"""What is not built yet and brings its own tests."""

TABLE: dict[int, Entry] = {
    1: Entry("empty pages with a nextLink", ("test_paging::TestEmptyPages",)),
    2: Entry("a nextLink to nothing", ("test_paging::TestLinkToNothing",)),
    3: Entry("the forms of no more", ("test_paging::TestNoMore",)),
    4: Entry("spellings of the nextLink", ("test_paging::TestSpellingsOfTheLink",)),
    5: Entry("sizes of pages", ("test_paging::TestPageSizes",)),
    6: Entry("lists selected by tag", ("test_paging::TestSelectedByTag",)),
    7: Entry("times only with $expand", ("test_paging::TestTimesOnRequest",)),
    8: Entry("truncated without saying so", ("test_graph::TestTruncated",)),
    9: Entry("rows with empty texts for nothing", ("test_graph::TestEmptyTexts",)),
    10: Entry("groups in capitals", ("test_identity::TestUpperCaseGroups",)),
    11: Entry("segments and providers in another case", ("test_identity::TestSegments",)),
    12: Entry("spellings of types", ("test_identity::TestSpellingsOfTypes",)),
    13: Entry(
        "managed from another group", ("test_identity::TestOwnersElsewhere", "test_cleanup::TestOwnersBeyondTheGroup")
    ),
    14: Entry("nested types, and extensions", ("test_identity::TestNesting",)),
    15: Entry("name and id differ", ("test_identity::TestNamesAndIds",)),
    16: Entry("double slashes and encoded scopes", ("test_identity::TestPathsThatAreAsked",)),
    17: Entry("forms of a location", ("test_identity::TestLocations",)),
    18: Entry("groups without type", ("test_identity::TestGroupsWithoutType",)),
    19: Entry("no tags in three forms", ("test_tags::TestNone",)),
    20: Entry(
        "protecting tags without value", ("test_tags::TestEmptyValues", "test_tag_writes::TestEmptyValuesAreWritten")
    ),
    21: Entry("hidden keys of the portal", ("test_tags::TestHiddenKeys", "test_tag_writes::TestHiddenKeysAreKept")),
    22: Entry("odd keys and values", ("test_tags::TestOddTexts",)),
    23: Entry("a write replaces all tags", ("test_tag_writes::TestReplacingWrites",)),
    24: Entry("a write of tags goes on later", ("test_tag_writes::TestWritesThatGoOn",)),
    25: Entry(
        "tags copied to a managed group", ("test_tags::TestCopiedTags", "test_tag_writes::TestCopiedTagsAreLeft")
    ),
    26: Entry("owners of groups", ("test_owners::TestOwnersOfGroups", "test_cleanup::TestGroupsOfOthers")),
    27: Entry("an owner of no text", ("test_owners::TestEmptyOwner",)),
    28: Entry("disks without owner that are in use", ("test_cleanup::TestDisksInUse",)),
    29: Entry("network interfaces without machine", ("test_cleanup::TestInterfacesInUse",)),
    30: Entry("public addresses in use", ("test_cleanup::TestAddressesInUse",)),
    31: Entry("absent lists of users", ("test_cleanup::TestNoUsers",)),
    32: Entry("children the system made", ("test_identity::TestSystemChildren", "test_cleanup::TestMadeByTheSystem")),
    33: Entry("locks of every scope in one list", ("test_locks::TestScopes",)),
    34: Entry("locks on nested resources", ("test_locks::TestNested",)),
    35: Entry("refused for a lock", ("test_deletes::TestRefusedForALock",)),
    36: Entry("accepted is not deleted", ("test_deletes::TestAcceptedIsNotDeleted", "test_cleanup::TestOnlyAccepted")),
    37: Entry(
        "errors in capitals",
        ("test_errors::TestEnvelopes", "test_deletes::TestCapitals", "test_cleanup::TestReasonsInCapitals"),
    ),
    38: Entry("still listed after a delete", ("test_deletes::TestStillThere", "test_cleanup::TestShownAfterwards")),
    39: Entry("signed addresses to poll", ("test_deletes::TestSignedAddresses",)),
    40: Entry("words for a state", ("test_deletes::TestWords",)),
    41: Entry(
        "an error beside success",
        (
            "test_errors::TestEnvelopes::test_an_error_with_status_200_is_no_list",
            "test_deletes::TestErrorBesideSuccess",
        ),
    ),
    42: Entry("ends of a poll", ("test_deletes::TestEnds",)),
    43: Entry("answers to a delete", ("test_deletes::TestAnswersToADelete",)),
    44: Entry("in use is 400", ("test_deletes::TestInUse", "test_cleanup::TestUsedByOthers")),
    45: Entry("meanings of 409", ("test_deletes::TestConflicts",)),
    46: Entry("trouble that passes", ("test_errors::TestPassingTrouble", "test_deletes::TestTroubleOfPolls")),
    47: Entry("links to elsewhere", ("test_errors::TestLinksElsewhere", "test_deletes::TestLinksOfOperations")),
    48: Entry("values of Retry-After", ("test_throttling::TestRetryAfter", "test_deletes::TestWaits")),
    49: Entry("soft deletes", ("test_deletes::TestSoftDeletes", "test_cleanup::TestVaultsMarkedAsDeleted")),
    50: Entry("exported templates", ("test_deletes::TestTemplates", "test_cleanup::TestTemplatesInTombstones")),
    51: Entry("HEAD of a group", ("test_deletes::TestNoHead",)),
    52: Entry("meanings of 404", ("test_errors::TestNotFound", "test_deletes::TestGone")),
    53: Entry(
        "SubscriptionNotFound for something else", ("test_errors::TestNotTheSubscription", "test_deletes::TestGone")
    ),
    54: Entry("403 for what is missing", ("test_errors::TestForbidden", "test_deletes::TestGone")),
    55: Entry("envelopes of errors", ("test_errors::TestEnvelopes",)),
    56: Entry("429 that is no throttling", ("test_throttling::TestNotOnlyThrottling",)),
    57: Entry("where the wait is told", ("test_throttling::TestWhereTheWaitIsTold",)),
    58: Entry("headers of what remains", ("test_throttling::TestWhatRemains",)),
    59: Entry("401 with US dates, or as a page", ("test_errors::TestTokens",)),
    60: Entry("forms of times", ("test_times::TestTimes",)),
    61: Entry("words for the state of a resource", ("test_times::TestStates",)),
    62: Entry("when a token expires", ("test_times::TestManagedIdentity",)),
    63: Entry("partial answers of Log Analytics", ("test_activity::TestPartialAnswers",)),
    64: Entry("events of the activity log", ("test_activity::TestEvents",)),
    65: Entry("subscriptions in any state", ("test_times::TestSubscriptions",)),
}
