"""An annotated payload is read in one pass, and says of each leaf what a tree would say."""

from broker.mapping.lineage.annotations import read_annotations, without_marks

ANNOTATED = (
    '<MetaData xmlns="urn:x" xmlns:d="urn:y"><Item><?swb 0 each?><A><?swb 1?>x &amp; y</A></Item>'
    '<Item><?swb 1 each?><A unitCode="KGM"><?swb 2 unitCode?><?swb 3?>2</A><A><?swb engine?>3</A></Item>'
    "<d:Only><?swb 4?>z</d:Only><Empty><?swb 5?> </Empty></MetaData>"
)


def test_leaves_have_path_value_and_note():
    assert [tuple(leaf) for leaf in read_annotations(ANNOTATED).leaves] == [
        ("/MetaData/Item[1]/A", "x & y", "1"),
        ("/MetaData/Item[2]/A[1]", "2", "3"),
        ("/MetaData/Item[2]/A[1]/@unitCode", "KGM", "2"),
        ("/MetaData/Item[2]/A[2]", "3", "engine"),
        ("/MetaData/Only", "z", "4"),
    ]


def test_instances_and_places_are_numbered_where_siblings_share_the_name():
    found = read_annotations(ANNOTATED)
    assert found.instances == {"/MetaData/Item[1]": 0, "/MetaData/Item[2]": 1}
    assert {"/MetaData", "/MetaData/Item[2]/A[2]", "/MetaData/Only"} <= found.places
    assert "/MetaData/Item" not in found.places


def test_what_remains_without_marks_is_the_payload():
    assert "<?swb" not in without_marks(ANNOTATED)
    assert without_marks("<a><?swb 1?>b</a>") == "<a>b</a>"
