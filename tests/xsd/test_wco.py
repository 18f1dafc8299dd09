"""Our profile of the WCO payload against the published schemas: every document valid here is valid there."""
# ruff: noqa: E501 - documents and replacements stand in one line each

import random
from dataclasses import dataclass
from pathlib import Path

import pytest
import xmlschema
from lxml import etree

from tests.support.paths import ROOT

pytestmark = pytest.mark.proof

HOME = ROOT / "xsd" / "wco" / "3.6"
MD, DEC, RES = (f"urn:wco:datamodel:WCO:{name}" for name in ("DocumentMetaData-DMS:2", "DEC-DMS:2", "RES-DMS:2"))
DT = "urn:wco:datamodel:WCO:Declaration_DS:DMS:2"
XS = "{http://www.w3.org/2001/XMLSchema}"
IDS = "{urn:swb:wco-ids}"
BODIES = (("declaration.xsd", "declaration/WCO_DEC_2_DMS.xsd", "Declaration"),
          ("response.xsd", "notification/WCO_RES_2_DMS.xsd", "Response"))  # fmt: skip


@pytest.fixture(scope="session")
def published_home(reference) -> Path:
    return reference / "xsd" / "wco-hmrc-dms" / "wco"


@pytest.fixture(scope="session")
def published(published_payload) -> etree.XMLSchema:
    return published_payload


@pytest.fixture(scope="session")
def ours() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(HOME / "payload.xsd"))


# --- the two schemas side by side -------------------------------------------------------------------------------------


@dataclass
class Side:
    """One schema read as a tree of classes."""

    file: Path

    def __post_init__(self):
        self.root = etree.parse(self.file).getroot()
        self.classes = {t.get("name"): t for t in self.root.findall(f"{XS}complexType")}

    def class_of(self, element):
        inner = element.find(f"{XS}complexType")
        if inner is not None:
            return inner
        name = element.get("type") or ""
        return None if name.startswith("ds:") else self.classes.get(name.rpartition(":")[2])


def children(cls):
    return [] if cls.find(f"{XS}sequence") is None else cls.find(f"{XS}sequence").findall(f"{XS}element")


def name_of(element):
    return element.get("name") or element.get("ref")


def card(element):
    most = element.get("maxOccurs", "1")
    return int(element.get("minOccurs", "1")), float("inf") if most == "unbounded" else int(most)


def published_id(element):
    return next((n.text.strip() for a in element.findall(f"{XS}annotation") for n in a.iter("{*}WCOID")), None)


def differences(ours, cls, theirs, their_cls, path, *, seen):
    rest = children(cls)
    for element in children(their_cls):
        if not rest or name_of(rest[0]) != name_of(element):
            if card(element)[0]:
                yield f"{path}/{name_of(element)}: mandatory there, missing here"
            continue
        mine = rest.pop(0)
        seen.append(f"{path}/{name_of(mine)}")
        (least, most), (their_least, their_most) = card(mine), card(element)
        if least < their_least or most > their_most:
            yield f"{seen[-1]}: {least}..{most} is wider than {their_least}..{their_most}"
        inner, their_inner = ours.class_of(mine), theirs.class_of(element)
        wco_id = mine.get(f"{IDS}id") or (inner is not None and inner.get(f"{IDS}class")) or None
        if wco_id != published_id(element):
            yield f"{seen[-1]}: id {wco_id}, published {published_id(element)}"
        if inner is not None:
            yield from differences(ours, inner, theirs, their_inner, seen[-1], seen=seen)
    yield from (f"{path}/{name_of(e)}: not there, or in another order" for e in rest)


@pytest.mark.parametrize(("file", "published_file", "root"), BODIES)
def test_every_class_is_the_published_one_narrowed(published_home, file, published_file, root):
    ours, theirs = Side(HOME / file), Side(published_home / published_file)
    element = next(e for e in theirs.root.findall(f"{XS}element") if e.get("name") == root)
    seen = []
    assert list(differences(ours, ours.classes[root], theirs, theirs.class_of(element), root, seen=seen)) == []
    assert len(seen) == {"Declaration": 459, "Response": 73}[root]


# --- documents made from our own schema -------------------------------------------------------------------------------

WORDS = ("Té verde", "granos", "x", "Söhne & Co", "<b>", "茶叶", "Ñuñoa", "7", "a/b", "😀")


class Maker:
    """Makes random valid documents out of our schema: every element and attribute, values up to their limits."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.types = {}
        for file in ("declaration.xsd", "declaration-ds.xsd", "response.xsd", "response-ds.xsd"):
            schema = etree.parse(HOME / file).getroot()
            for node in schema:
                if node.get("name"):
                    self.types[schema.get("targetNamespace"), node.get("name")] = node

    def type_of(self, node, attribute="type"):
        prefix, _, local = (node.get(attribute) or node.get("base")).rpartition(":")
        return node.nsmap.get(prefix), local

    def declaration(self):
        wrapper = self.wrapper("DEC")
        body = etree.SubElement(wrapper, f"{{{DEC}}}Declaration", nsmap={None: DEC, "ds": DT})
        self.fill(body, (DEC, "Declaration"), self.random.choice((0.2, 0.5, 1.0)))
        for at, item in enumerate(wrapper.iter(f"{{{DEC}}}GovernmentAgencyGoodsItem"), 1):
            item.find(f"{{{DEC}}}SequenceNumeric").text = str(at)
        return wrapper

    def response(self):
        wrapper = self.wrapper("RES")
        for _ in range(self.random.choice((1, 1, 3))):
            self.fill(etree.SubElement(wrapper, f"{{{RES}}}Response"), (RES, "Response"), self.random.random())
        return wrapper

    def wrapper(self, kind):
        root = etree.Element(f"{{{MD}}}MetaData", nsmap={"md": MD})
        for name, text in (("WCODataModelVersionCode", "3.6"), ("WCOTypeName", kind), ("ResponsibleCountryCode", "PE"),
                           ("ResponsibleAgencyName", self.line(70)), ("AgencyAssignedCustomizationCode", self.line(6)),
                           ("AgencyAssignedCustomizationVersionCode", "1.0")):  # fmt: skip
            if name.startswith("WCO") or self.random.random() < 0.5:
                etree.SubElement(root, f"{{{MD}}}{name}").text = text
        return root

    def fill(self, node, key, chance):
        cls = self.types.get(key)
        if cls is None or cls.tag == f"{XS}simpleType":
            node.text = self.value(key)
            return
        extension = cls.find(f"{XS}simpleContent/{XS}extension")
        if extension is not None:
            node.text = self.value(self.type_of(extension, "base"))
            for attribute in extension.findall(f"{XS}attribute"):
                if attribute.get("use") == "required" or self.random.random() < chance / 4:
                    node.set(attribute.get("name"), self.value(self.type_of(attribute)))
            self.tie(node)
            return
        for child in children(cls):
            if child.get("ref"):
                continue
            least, most = card(child)
            often = max(least, 1 if self.random.random() < chance else 0)
            if most > 1 and often and self.random.random() < chance / 3:
                often += 1
            namespace = cls.getroottree().getroot().get("targetNamespace")
            for _ in range(often):
                self.fill(etree.SubElement(node, f"{{{namespace}}}{child.get('name')}"), self.type_of(child), chance)

    def tie(self, node):
        if node.get("formatCode"):
            node.set("formatCode", "102" if len(node.text) == 8 else "304")

    def value(self, key):
        base, facets = key[1], {}
        while key in self.types:
            restriction = self.types[key].find(f"{XS}restriction")
            for facet in restriction:
                facets.setdefault(etree.QName(facet).localname, []).append(facet.get("value"))
            key = self.type_of(restriction, "base")
            base = key[1]
        choose = self.random.choice
        if "enumeration" in facets:
            return choose(facets["enumeration"])
        if base == "decimal":
            return self.number(facets)
        if base == "language":
            return choose(("en", "es-PE", "zh-Hans"))
        for pattern in facets.get("pattern", ()):
            made = self.form(pattern)
            if made is not None:
                return made
        return self.line(int(facets.get("maxLength", ["40"])[0]))

    def form(self, pattern):
        digits, letters = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        known = {"[A-Z]{2}": (letters, 2), "[A-Z]{3}": (letters, 3), "[A-Z]": (letters, 1), "[0-9]": (digits, 1),
                 "[0-9]{4}": (digits, 4), "[0-9]{1,2}": (digits, self.random.choice((1, 2))),
                 r"[^ \t\n\r]{1,3}": (digits + letters, 3), r"[^ \t\n\r]{1,5}": (letters, 5)}  # fmt: skip
        if pattern in known:
            return "".join(self.random.choice(known[pattern][0]) for _ in range(known[pattern][1]))
        if pattern.startswith("20") and "Z|" in pattern:
            day = self.random.choice(("20240229", "20991231", "20000101", "20260430"))
            return day + self.random.choice(("", "000000Z", "235959+14", "120000-05"))
        return None

    def line(self, length):
        text = self.random.choice(WORDS)
        while len(text) < length and self.random.random() < 0.8:
            text += self.random.choice(("", " ", "  ")) + self.random.choice(WORDS)
        return text[:length].rstrip() if self.random.random() < 0.8 else "ñ" * length

    def number(self, facets):
        total, fraction = int(facets["totalDigits"][0]), int(facets["fractionDigits"][0])
        low = int(facets.get("minInclusive", ["0"])[0])
        whole = self.random.choice((str(low), "9" * (total - fraction), str(self.random.randint(low, 99))))
        sign = "-" if facets["pattern"][0].startswith("-?") and self.random.random() < 0.2 else ""
        if not fraction:
            return whole
        return sign + whole + self.random.choice(("", ".0", "." + "9" * fraction, ".5"))


def reparsed(node):
    return etree.fromstring(etree.tostring(node))


@pytest.fixture(scope="module")
def documents():
    maker = Maker("documents")
    return [reparsed(maker.declaration()) for _ in range(25)] + [reparsed(maker.response()) for _ in range(20)]


def test_documents_made_from_our_schema_are_valid_under_ours(ours, documents):
    for document in documents:
        assert ours.validate(document), ours.error_log.last_error
    names = {node.tag for document in documents for node in document.iter()}
    assert len(names) > 200  # nearly every element name of both bodies


def test_documents_made_from_our_schema_are_valid_under_the_published(published, documents):
    for document in documents:
        assert published.validate(document), published.error_log.last_error


def test_the_second_validator_agrees(documents):
    second = xmlschema.XMLSchema(HOME / "payload.xsd", validation="skip")
    for document in documents[::5]:
        assert second.is_valid(etree.tostring(document).decode())


MUTATIONS = 1000


def mutate(document, rng):
    nodes = list(document.iter(etree.Element))[1:]
    node = rng.choice(nodes)
    parent = node.getparent()
    kind = rng.randrange(8)
    if kind == 0:
        parent.remove(node)
    elif kind == 1:
        parent.insert(parent.index(node), reparsed(node))
    elif kind == 2:
        parent.append(node)
    elif kind == 3:
        node.text = (node.text or "") + rng.choice(("\n", " ", "x" * 600, "é", "\t", ".5", "e3"))
    elif kind == 4:
        node.text = rng.choice(("", " ", "x", "-1", "20249999", "19991231", "2024022912", "1 000", "1,5", "abc", "+1"))
    elif kind == 5:
        node.set(
            rng.choice(("formatCode", "schemeID", "unitCode", "listURI", "other")), rng.choice(("102", "", "toolong"))
        )
    elif kind == 6 and node.attrib:
        del node.attrib[rng.choice(node.keys())]
    else:
        node.tag = rng.choice(nodes).tag
    return document


def test_what_the_published_schema_refuses_ours_refuses(ours, published, documents):
    rng = random.Random("mutants")
    refused = narrower = 0
    for _ in range(MUTATIONS):
        mutant = reparsed(mutate(reparsed(rng.choice(documents)), rng))
        there = published.validate(mutant)
        here = ours.validate(mutant)
        assert there or not here, (published.error_log.last_error, etree.tostring(mutant)[:2000])
        refused += not there
        narrower += there and not here
    assert refused > MUTATIONS / 4
    assert narrower > 50


# --- by hand: what ours demands beyond the published ------------------------------------------------------------------

DECLARATION = f"""<md:MetaData xmlns:md="{MD}"><md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode><md:WCOTypeName>DEC</md:WCOTypeName>
<Declaration xmlns="{DEC}" xmlns:ds="{DT}"><FunctionCode>9</FunctionCode>
<FunctionalReferenceID>0123456789abcdef0123456789abcdef</FunctionalReferenceID>
<IssueDateTime><ds:DateTimeString formatCode="304">20260417093000Z</ds:DateTimeString></IssueDateTime>
<TypeCode listID="1001" listAgencyID="6">861</TypeCode><GoodsItemQuantity>2</GoodsItemQuantity>
<InvoiceAmount currencyID="USD">1250.000</InvoiceAmount>
<AdditionalInformation><StatementCode>ADDRESS</StatementCode><StatementDescription>Fundo Las Lomas</StatementDescription>
<Pointer><DocumentSectionCode>42A</DocumentSectionCode></Pointer>
<Pointer><SequenceNumeric>1</SequenceNumeric><DocumentSectionCode>67A</DocumentSectionCode><TagID>239</TagID></Pointer>
</AdditionalInformation>
<Exporter><Name>Agroexportadora Valle Nuevo SAC</Name><ID schemeID="6">20512333797</ID>
<Address><CityName>Ica</CityName><CountryCode>PE</CountryCode><Line>Km 3 Carretera Sur</Line></Address></Exporter>
<GoodsShipment><Destination><CountryCode>SG</CountryCode></Destination><ExportCountry><ID>PE</ID></ExportCountry>
<GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric><AdditionalDocument>
<EffectiveDateTime><ds:DateTimeString formatCode="102">20260416</ds:DateTimeString></EffectiveDateTime><ID>PE-1</ID><TypeCode>861</TypeCode>
</AdditionalDocument><Commodity><Description>Green asparagus</Description>
<Classification><ID>070920</ID><IdentificationTypeCode>HS</IdentificationTypeCode></Classification>
<GoodsMeasure><GrossMassMeasure unitCode="KGM">1040.5</GrossMassMeasure><TariffQuantity unitCode="KGM">1000</TariffQuantity></GoodsMeasure>
<InvoiceLine><ItemChargeAmount currencyID="USD">625</ItemChargeAmount></InvoiceLine></Commodity>
<Origin><CountryCode>PE</CountryCode></Origin></GovernmentAgencyGoodsItem>
<GovernmentAgencyGoodsItem><SequenceNumeric>2</SequenceNumeric><Commodity><Description>White asparagus</Description></Commodity>
<Packaging><SequenceNumeric>1</SequenceNumeric><MarksNumbersID>LOT 7</MarksNumbersID><QuantityQuantity>40</QuantityQuantity><TypeCode>CT</TypeCode></Packaging>
</GovernmentAgencyGoodsItem></GoodsShipment></Declaration></md:MetaData>"""

# What is replaced, by what, and whether the published schema takes it.
NARROWER = [
    ("no own reference", "<FunctionalReferenceID>0123456789abcdef0123456789abcdef</FunctionalReferenceID>", "", True),
    ("no issue date", '<IssueDateTime><ds:DateTimeString formatCode="304">20260417093000Z</ds:DateTimeString></IssueDateTime>', "", True),
    ("no type", '<TypeCode listID="1001" listAgencyID="6">861</TypeCode>', "", True),
    ("no such day", "20260417093000Z", "20260431093000Z", True),
    ("no leap day", "20260416<", "20260229<", True),
    ("no such hour", "20260417093000Z", "20260417243000Z", True),
    ("no such zone", "20260417093000Z", "20260417093000+15", True),
    ("zone with minutes", "20260417093000Z", "20260417093000+05:30", False),
    ("time without zone", "20260417093000Z", "20260417093000", False),
    ("last century", "20260416<", "19990416<", False),
    ("text over lines", "Green asparagus", "Green\nasparagus", False),
    ("text that starts with a blank", ">Green asparagus", "> Green asparagus", True),
    ("tab in a text", "Green asparagus", "Green\tasparagus", True),
    ("blank text", "Green asparagus", " ", False),
    ("no description", "<Description>Green asparagus</Description>", "", True),
    ("no commodity", "<Commodity><Description>White asparagus</Description></Commodity>", "", True),
    ("item number twice", "<SequenceNumeric>2<", "<SequenceNumeric>1<", True),
    ("item number nought", "<SequenceNumeric>2<", "<SequenceNumeric>0<", True),
    ("item number below nought", "<SequenceNumeric>2<", "<SequenceNumeric>-2<", True),
    ("amount without currency", ' currencyID="USD">625', ">625", True),
    ("currency in small letters", 'currencyID="USD">625', 'currencyID="usd">625', False),
    ("mass without unit", ' unitCode="KGM">1040.5', ">1040.5", True),
    ("quantity without unit", ' unitCode="KGM">1000', ">1000", True),
    ("mass below nought", ">1040.5<", ">-1040.5<", True),
    ("amount of 17 digits", ">1250.000<", ">12345678901234567<", False),
    ("four decimals", ">1250.000<", ">1250.0001<", False),
    ("decimal comma", ">1250.000<", ">1250,00<", False),
    ("exponent", ">1250.000<", ">1.25E3<", False),
    ("plus sign", ">1250.000<", ">+1250<", True),
    ("country in small letters", "<CountryCode>SG<", "<CountryCode>sg<", True),
    ("country of three letters", "<CountryCode>PE</CountryCode></Origin>", "<CountryCode>PER</CountryCode></Origin>", True),
    ("empty destination", "<Destination><CountryCode>SG</CountryCode></Destination>", "<Destination/>", True),
    ("empty export country", "<ExportCountry><ID>PE</ID></ExportCountry>", "<ExportCountry/>", True),
    ("party id of 18", "20512333797", "205123337970000000", False),
    ("name of 71", "Agroexportadora Valle Nuevo SAC", "A" * 71, False),
    ("address out of order", "<CityName>Ica</CityName><CountryCode>PE</CountryCode>", "<CountryCode>PE</CountryCode><CityName>Ica</CityName>", False),
    ("function 4", "<FunctionCode>9<", "<FunctionCode>4<", False),
    ("agency of four", 'listAgencyID="6"', 'listAgencyID="6666"', False),
    ("address of a list", 'listID="1001"', 'listURI="urn:x"', True),
    ("empty list name", 'listID="1001"', 'listID=""', True),
    ("foreign attribute", "<TypeCode ", '<TypeCode x="1" ', False),
    ("half a package", ">40<", ">40.5<", False),
    ("wrapper of no version", "<md:WCODataModelVersionCode>3.6</md:WCODataModelVersionCode>", "", True),
    ("wrapper of another version", "Code>3.6<", "Code>3.7<", True),
    ("wrapper of another type", "Name>DEC<", "Name>DEC-DMS<", True),
    ("wrapper with a long customisation", "<Declaration", f"<md:AgencyAssignedCustomizationCode>{'x' * 7}</md:AgencyAssignedCustomizationCode><Declaration", True),
    ("two declarations", "</Declaration>", f'</Declaration><Declaration xmlns="{DEC}"><FunctionCode>9</FunctionCode></Declaration>', False),
    ("another body", f'xmlns="{DEC}"', 'xmlns="urn:other"', False),
]  # fmt: skip


def test_the_declaration_by_hand_is_valid(ours):
    ours.assertValid(etree.fromstring(DECLARATION))


@pytest.mark.parametrize(("old", "new"), [row[1:3] for row in NARROWER], ids=[row[0] for row in NARROWER])
def test_ours_refuses(ours, old, new):
    assert DECLARATION.count(old) >= 1
    assert not ours.validate(etree.fromstring(DECLARATION.replace(old, new, 1)))


def test_the_published_schema_is_as_told(published):
    published.assertValid(etree.fromstring(DECLARATION))
    for name, old, new, taken in NARROWER:
        assert published.validate(etree.fromstring(DECLARATION.replace(old, new, 1))) is taken, name


def test_more_than_999_items_are_refused(ours):
    document = etree.fromstring(DECLARATION)
    shipment = document.find(f".//{{{DEC}}}GoodsShipment")
    item = shipment[-1]
    for number in range(3, 1000):
        shipment.append(reparsed(item))
        shipment[-1][0].text = str(number)
    ours.assertValid(document)
    shipment.append(reparsed(item))
    shipment[-1][0].text = "1000"
    assert not ours.validate(document)


REJECTION = f"""<MetaData xmlns="{MD}"><WCODataModelVersionCode>3.6</WCODataModelVersionCode><WCOTypeName>RES</WCOTypeName>
<Response xmlns="{RES}" xmlns:ds="urn:wco:datamodel:WCO:Response_DS:DMS:2"><FunctionCode>03</FunctionCode>
<IssueDateTime><ds:DateTimeString formatCode="304">20260417093100Z</ds:DateTimeString></IssueDateTime>
<Error><Description>The certificate is not known</Description><ValidationCode>PE-004</ValidationCode>
<Pointer><DocumentSectionCode>42A</DocumentSectionCode></Pointer><Pointer><DocumentSectionCode>67A</DocumentSectionCode></Pointer>
<Pointer><SequenceNumeric>1</SequenceNumeric><DocumentSectionCode>68A</DocumentSectionCode></Pointer>
<Pointer><SequenceNumeric>1</SequenceNumeric><DocumentSectionCode>02A</DocumentSectionCode></Pointer>
<Pointer><DocumentSectionCode>02A</DocumentSectionCode><TagID>D005</TagID></Pointer></Error>
<Status><NameCode>41</NameCode></Status>
<Declaration><FunctionalReferenceID>0123456789abcdef0123456789abcdef</FunctionalReferenceID><ID>26PE0000000012</ID></Declaration>
</Response></MetaData>"""

ANSWERS = [
    ("function of three", "<FunctionCode>03<", "<FunctionCode>003<", False),
    ("empty function", "<FunctionCode>03<", "<FunctionCode><", True),
    ("no date", '<IssueDateTime><ds:DateTimeString formatCode="304">20260417093100Z</ds:DateTimeString></IssueDateTime>', "", True),
    ("words over lines", "is not known", "is\nnot known", True),
    ("no words", "The certificate is not known", "", True),
    ("code of nine", "PE-004", "PE-004-09", False),
    ("error without code", "<ValidationCode>PE-004</ValidationCode>", "", True),
    ("status without name", "<Status><NameCode>41</NameCode></Status>", "<Status/>", True),
    ("tag of five", "D005", "D0055", False),
    ("code before words", "<Description>The certificate is not known</Description><ValidationCode>PE-004</ValidationCode>",
     "<ValidationCode>PE-004</ValidationCode><Description>The certificate is not known</Description>", False),
    ("no declaration", "<Declaration><FunctionalReferenceID>0123456789abcdef0123456789abcdef</FunctionalReferenceID><ID>26PE0000000012</ID></Declaration>", "", False),
]  # fmt: skip


def test_the_answer_by_hand_is_valid(ours):
    ours.assertValid(etree.fromstring(REJECTION))
    ours.assertValid(etree.fromstring(REJECTION.replace("</Response>", f"""</Response><Response xmlns="{RES}"
        xmlns:ds="urn:wco:datamodel:WCO:Response_DS:DMS:2"><FunctionCode>9</FunctionCode><IssueDateTime>
        <ds:DateTimeString formatCode="102">20260418</ds:DateTimeString></IssueDateTime><Declaration/></Response>""")))  # fmt: skip


@pytest.mark.parametrize(("old", "new"), [row[1:3] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_ours_refuses_an_answer(ours, old, new):
    assert old in REJECTION
    assert not ours.validate(etree.fromstring(REJECTION.replace(old, new, 1)))


def test_the_published_schema_of_answers_is_as_told(published):
    published.assertValid(etree.fromstring(REJECTION))
    for name, old, new, taken in ANSWERS:
        assert published.validate(etree.fromstring(REJECTION.replace(old, new, 1))) is taken, name
