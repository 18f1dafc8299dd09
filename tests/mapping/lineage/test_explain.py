"""Where every value of a payload came from, told of the same bytes."""

from __future__ import annotations

from tests.support.mapping_kit import texts, translated

GROUP = """]
[[groups]]
to = "AdditionalInformation"
each = "n"
when = "@k = 'x'"
fields = [{to = "StatementDescription", from = "."}, {to = "StatementCode", from = "@k"}]
"""


def test_a_group_repeats_and_takes_only_what_its_condition_lets() -> None:
    payload, explanation = translated('<a><n k="x">1</n><n k="y">2</n><n k="x">3</n></a>', GROUP)
    assert texts(payload, "AdditionalInformation/StatementDescription") == ["1", "3"]
    assert {loss.path: loss.state for loss in explanation.loss} == {
        "/a/n[1]": "carried",
        "/a/n[1]/@k": "carried",
        "/a/n[2]": "unmapped",
        "/a/n[2]/@k": "unmapped",
        "/a/n[3]": "carried",
        "/a/n[3]/@k": "carried",
    }
    assert explanation.locate("AdditionalInformation[2]")[0].path == "/a/n[3]"


def test_an_instance_of_a_group_is_the_element_that_it_repeats_for() -> None:
    _, explanation = translated('<a><n k="y">1</n><n k="x">2</n></a>', GROUP)
    found = explanation.instance("/MetaData/Declaration/AdditionalInformation")
    assert found.path == "/a/n[2]"
    assert explanation.instance("/MetaData/Declaration") is None
    assert explanation.counts == {"leaves": 4, "carried": 2, "folded": 0, "decided": 0, "dropped": 0, "unmapped": 2}
