"""Catalogues broken on purpose: each the product's own data with one small change, and what must be said of it.

``FILE: [(from, to, word of the sentence), ...]``; the fault must name FILE, or the file after ``@`` in the word. An
empty ``from`` is a new file, ``DELETE`` takes the file away.
"""

DELETE = "(the file is deleted)"
COD, COD4 = "mappings/documents/origin/aladi-cod-1.8", "mappings/documents/origin/aladi-cod-4.1"
UBL, SUNAT = "mappings/documents/invoice/ubl-2.1", "mappings/documents/invoice/sunat-ubl-2.1"
SPS, TT = "mappings/documents/sps/sps-certificate-17", "mappings/documents/origin/tradetrust-coo-1"
NOTE = "mappings/documents/invoice/ubl-2.1-credit-note"
PE, US, CO = (f"mappings/participants/{code}/participant.toml" for code in ("pe-vuce", "us-ace", "co-ica"))
ASEAN, PESUNAT = (f"mappings/participants/{code}/participant.toml" for code in ("asean-sw", "pe-sunat"))
LISTS, STATES = "mappings/codelists", "mappings/statuses"
FAMILY, PAIR = 'family = "invoice"', "GoodsShipment/Destination/CountryCode = 'PE'"
ROW = 'to = "Exporter/Name", id = "R031"'

BROKEN = {
    # --- rows: the payload's side -------------------------------------------------------------------------------------
    f"{COD}/mapping.toml": [
        (ROW, 'to = "Exporter/Nome", id = "R031"', "has no element Nome"),
        (ROW, 'to = "Exporter/Name", id = "R032"', "the WCO id of Name is R031, not R032"),
        (ROW, f'{ROW}, codes = "iso-3166"', "there is no code list 'iso-3166'"),
        (ROW, f'{ROW}, map = "cod-unit"', "there is no code list 'cod-unit'"),
        (ROW, f'{ROW}, transform = "uper"', "no transform 'uper'"),
        (ROW, f'{ROW}, identifier = "rucc"', "no identifier kind 'rucc'"),
        (ROW, f'{ROW}, scheme = "@x", scheme_list = "sunat-6"', "no identifier schemes 'sunat-6'"),
        (ROW, f'{ROW}, defualt = "x"', "unknown key defualt"),
        (ROW, f'{ROW}, default = "x"', "a constant needs its reason"),
        (ROW, f'{ROW}, value = "x", why = "y"', "exclude each other"),
        (ROW, 'id = "R031"', "`to` is missing"),
        (ROW, f'{ROW}, when = "CODEH/EH ="', "after"),
        (ROW, f"{ROW}, when = \"CODEH/EH in 'nolist'\"", "nolist"),
        ("{form}/Exporter/ExporterBusinessName", "{form}/Exporter/ExporterBusinesName", "no ExporterBusinesName there"),
        ("{form}/Exporter/ExporterBusinessName", "{from}/Exporter/ExporterBusinessName", "is not among paths"),
        ("{form}/Exporter/ExporterBusinessName", "{form}/Exporter/x:BusinessName", "prefix 'x'"),
        ("{form}/Exporter/ExporterBusinessName", "{form}/Exporter/ExporterBusinessName/@lang", "no @lang there"),
        ("{form}/Exporter/ExporterBusinessName", "{form}/Exporter[", "after"),
        ("{form}/Exporter/ExporterBusinessName", "{form}//ExporterBusinessName", "is left over"),
        ("{form}/Declaration/DeclarationDate", "{form}/Declaration/DeclarationDay", "no DeclarationDay there"),
        ('version = "1"', 'verson = "1"', "unknown key verson"),
        ('paths.cod = "CODEH', 'paths.cod = "CODEX', "no CODEX there"),
        ("fields = [", "fields = ", "not TOML"),
        ('value = "9", why', 'value = "9"', "not TOML"),
        ('paths.cod = "CODEH/CODExporter/COD"', 'paths.cod = "{cod}/COD"', "lead in a circle"),
        ('otherwise = { statement = "COD-EXP-NAME" }', 'otherwise = "Exporter/Nome"', "Nome"),
        ("version", DELETE, "the file is missing"),
    ],
    f"{UBL}/mapping.toml": [
        ('unit_codes = "iso-4217", otherwise', 'unit_codes = "iso-4271", otherwise', "iso-4271"),
        ('unit = "@currencyID"', 'unit = "@currencyId"', "no @currencyId there"),
        ('transform = "count"', 'transform = "conut"', "no transform 'conut'"),
        ('date = "cbc:IssueDate"', 'date = "cbc:IssueDay"', "date, cbc:IssueDay: the source schema has no IssueDay"),
        ('"{type}", map = "ubl-type', '"{type}", map = "ubl-typ', "ubl-typ-to-uncl-1001"),
        ("required = true", 'required = "yes"', "required"),
        ('each = "', 'eech = "', "each is missing"),
        (
            'to = "GoodsShipment/GovernmentAgencyGoodsItem"',
            'to = "GoodsShipment/GoodsItem"',
            "has no element GoodsItem",
        ),
        ("[[groups]]", "[[gruops]]", "unknown key gruops"),
    ],
    f"{SUNAT}/mapping.toml": [
        ('extends = "invoice/ubl-2.1"', 'extends = "invoice/ubl-2.2"', "there is no document type invoice/ubl-2.2"),
        ('extends = "invoice/ubl-2.1"', 'extends = "invoice/sunat-ubl-2.1"', "in a circle"),
        ('identifier = "ruc"', 'identifier = "rucc"', "no identifier kind 'rucc'"),
        ("paths.home", "path.home", "unknown key path"),
    ],
    f"{TT}/mapping.toml": [
        ('from = "iD", label', 'from = "iDD", label', "no iDD there"),
        ('from = "issueDateTime"', 'from = "issueDatetime"', "no issueDatetime there"),
        ('from = "issuers/_/name"', 'from = "issuers/_/nmae"', "no nmae there"),
        ('from = "issuers/_/name"', 'from = "issuers/name"', "no name there"),
        ("{cargo}/exporter/postalAddress/cityName", "{cargo}/exporter/postalAdress/cityName", "no postalAdress there"),
        ("{cargo}/exportCountry/name", "{cargo}/exportCountry/nam", "no nam there"),
        ('codes = "iso-3166-1"', 'codes = "iso-3166-3"', "iso-3166-3"),
    ],
    f"{SPS}/mapping.toml": [
        ("rsm:SPSExchangedDocument", "rsm:SPSExchangeDocument", "no SPSExchangeDocument there"),
        ("ram:", "rma:", "prefix 'rma'"),
    ],
    # --- document types -----------------------------------------------------------------------------------------------
    f"{COD}/document.toml": [
        ('name = "', 'nmae = "', "nmae is no key here"),
        ("root =", "rooot =", "rooot is no key here"),
        ("}CertOrigin", "}CertOrigen", "declares no root element"),
        ("cod.xsd", "codd.xsd", "codd.xsd"),
        ('response = "cod-', 'response = "cd-', "is none of"),
        ('when = "not(', 'when = "not((', "when"),
        ('when = "not(CODEH', 'when = "xyz:not(CODEH', "when"),
        ('ds = "http', 'dss = "http', f"XPath @{COD}/rules.toml"),
        ("published", "extends = 'origin/aladi-cod-4.1'\npublished", "in a circle"),
        ("published", "editions = { iso-3166-1 = '2021' }\npublished", "has no edition '2021'"),
        ("published", "editions = { iso-3166 = '2020' }\npublished", "there is no code list 'iso-3166'"),
        ("published", "tolerates = [{ id = 'X', why = 'y' }]\npublished", "one of ignore and trim must be there"),
        ("published", "tolerates = [{ id = 'X', why = 'y', trim = '//CODEH[' }]\npublished", "XPath"),
        ("published", "tolerates = [{ id = 'X', why = 'y', trim = 'CODEH/EX' }]\npublished", "no EX there"),
        ("published", "namespaces = 1\npublished", "not TOML"),
        ("namespaces = {", "namespaces = 1\n_x = {", "_x is no key here"),
    ],
    f"{COD4}/document.toml": [
        (
            'extends = "origin/aladi-cod-1.8"',
            'extends = "origin/aladi-cod-1.9"',
            "no document type origin/aladi-cod-1.9",
        ),
        ('extends = "origin/aladi-cod-1.8"', 'extends = "origin/aladi-cod-4.1"', "in a circle"),
        ("when = ", "#when = ", "type.unknown @mappings/documents/origin/aladi-cod"),
    ],
    f"{NOTE}/document.toml": [("schema = ", "shcema = ", "shcema is no key here")],
    "mappings/documents/invoice/new-1/document.toml": [
        (
            "",
            'name = "n"\nroot = "{urn:n}N"\nschema = "ubl/2.1/Invoice.xsd"',
            "the file is missing @mappings/documents/invoice/new-1",
        ),
        ("", 'name = "n"\nroot = "x"', "schema is missing"),
    ],
    # --- rules of formats ---------------------------------------------------------------------------------------------
    f"{COD}/rules.toml": [
        ('each = "CODEH[EH]"', 'each = "CODEH[EX]"', "each: the schema has no EX there"),
        ('test = "CODExporter/ds:Signature"', 'test = "CODExporter/ds:Sginature"', "no ds:Sginature there"),
        ('test = "CODExporter/ds:Signature"', 'test = "CODExporter/dd:Signature"', "XPath"),
        ('test = "CODExporter/ds:Signature"', 'test = "cuont(CODExporter)"', "XPath"),
        ('test = "CODExporter/ds:Signature"', 'test = "CODExporter["', "XPath"),
        ('at = "CODExporter"', 'at = "CODExporters"', "no CODExporters there"),
        ('id = "COD-S1"', 'id = "COD-S2"', "two rules have the id COD-S2"),
        ('id = "COD-S1"', 'id = "COD-S9"', "the rule COD-S9 has no sample"),
        ("message.es", "message.pt", "message.es is missing"),
        ("message.en", "mesage.en", "unknown key mesage"),
        ("[[rules]]", "[[rule]]", "rule is no key here"),
        ('severity = "warning"', 'severity = "waring"', "must be one of"),
        ('test = "GoodsQty = count(Goods)"', 'test = "GoodsQty = count(Good)"', "no Good there"),
        (
            'test = "GoodsQty = count(Goods)"',
            'test = "true()"',
            "must be warned @mappings/documents/origin/aladi-cod-1.8/samples",
        ),
    ],
    f"{SPS}/issuance.toml": [
        ("ram:StatusCode", "ram:StatuCode", "no ram:StatuCode there"),
        ('issued = ["70", "39"]', 'isued = ["70", "39"]', "issued is missing"),
        ('ended = ["40", "44"]', 'ended = ["40", "70"]', "cannot mean two things"),
        ("[[states]]", DELETE, "grants quantities"),
    ],
    # --- windows: what they accept ------------------------------------------------------------------------------------
    PE: [
        ("[answers]", "[answer]", "unknown key answer"),
        (FAMILY, 'family = "invoices"', "there is no family invoices"),
        (FAMILY, 'types = ["invoice/ubl-2.2"]', "there is no document type invoice/ubl-2.2"),
        (FAMILY, 'types = ["origin/aladi-cod-1.8"], family = "invoice"', "takes nothing"),
        (
            f'{FAMILY}, when = "GoodsShipment/Destination',
            'when = "GoodsShipment/Destination',
            "documents of every kind",
        ),
        (PAIR, "GoodsShipment/Destnation/CountryCode = 'PE'", "the payload has no Destnation there"),
        (PAIR, "GoodsShipment/Destination/Country = 'PE'", "the payload has no Country there"),
        (PAIR, "GoodsShipment/Destination/CountryCode in 'europe'", "europe"),
        (PAIR, "GoodsShipment[ = 'PE'", "when"),
        (PAIR, "GoodsShipment/Destination/CountryCode = PE", "no PE there"),
        (f"{FAMILY},", f"{FAMILY}, chapters = [],", "chapters names none"),
        (f"{FAMILY},", f'{FAMILY}, chapters = ["24-01"],', "chapters: write"),
        (f"{FAMILY},", f'{FAMILY}, chapters = ["1-24"],', "chapters: write"),
        (f"{FAMILY},", f"{FAMILY}, valid_from = 2027-01-01, valid_until = 2026-01-01,", "takes nothing"),
        (f"{FAMILY},", f'{FAMILY}, valid_from = "2027-01-01",', "valid_from must be of type date"),
        (f"{FAMILY},", f'{FAMILY}, value = {{ path = "InvoiceAmont", at_least = "1" }},', "no InvoiceAmont there"),
        (f"{FAMILY},", f'{FAMILY}, value = {{ path = "InvoiceAmount" }},', "give at_least, at_most or both"),
        (
            f"{FAMILY},",
            f'{FAMILY}, value = {{ path = "InvoiceAmount", at_least = "9", at_most = "1" }},',
            "takes nothing",
        ),
        (f"{FAMILY},", f'{FAMILY}, value = {{ path = "InvoiceAmount", at_least = 9 }},', "at_least"),
        (f"{FAMILY},", f'{FAMILY}, value = {{ path = "InvoiceAmount", at_least = "9", unit = "PNE" }},', "no currency"),
        (f"{FAMILY},", f'{FAMILY}, unles = {{ TypeCode = "380" }},', "unknown key unles"),
        ('id = "PE-01"', 'id = "PE-02"', "stands there twice"),
        ('id = "PE-01"', 'id = "US-01"', "exists already @mappings/participants/us-ace"),
        ('id = "PE-01"', 'id = "PE-09"', "the rule PE-09 has no sample @mappings/participants/pe-vuce"),
        ('"PE-AGREEMENT"', '"PE-AGREMENT"', "the rule PE-AGREMENT has no sample @mappings/participants/pe-vuce"),
        # what they demand
        ("test = \"valid-id('ruc', .)\"", "test = \"valid-id('rucc', .)\"", "there is no identifier kind 'rucc'"),
        ("test = \"valid-id('ruc', .)\"", "test = \"valid_id('ruc', .)\"", "test"),
        ("test = \"valid-id('ruc', .)\"", "test = \"in-list('iso-3166-7', .)\"", "there is no code list 'iso-3166-7'"),
        ("test = \"valid-id('ruc', .)\"", "test = \"matches(., '[0-9')\"", "is no pattern"),
        ("test = \"valid-id('ruc', .)\"", 'test = "valid-id("', "XPath"),
        ("test = \"valid-id('ruc', .)\"", 'test = ". = $todya"', "todya"),
        (
            "test = \"valid-id('ruc', .)\"",
            "test = \"../Adress/CountryCode = 'PE'\"",
            "test: the payload has no Adress there",
        ),
        (
            "when = \"../Address/CountryCode = 'PE'\"",
            "when = \"../Address/Country = 'PE'\"",
            "the payload has no Country there",
        ),
        ('each = "Exporter/ID"', 'each = "Exporter/Id"', "each: the payload has no Id there"),
        ('each = "Exporter/ID"', 'each = "Exporter/ID/@scheme"', "no @scheme there"),
        (
            "StatementCode = 'COD-AGREEMENT']/StatementDescription",
            "StatementCod = 'COD-AGREEMENT']/StatementDescription",
            "no StatementCod there",
        ),
        ('code = "PE0101"', 'code = "PE0101-TOO-LONG"', "1 to 8 characters"),
        ('code = "PE0101"', 'code = "PE0102"', "is that of another rule"),
        ("message.es", "message.pt", "message.es is missing"),
        ("message.en", "message.fr", "message.en is missing"),
        # how they answer
        ('dialect = "dms"', 'dialect = "dsm"', "is none of"),
        ('{ function = "01", status = "39" }', '{ function = "03", status = "41" }', "must be accepted"),
        (
            'rejected = [{ function = "03", status = "41" }]',
            'rejected = [{ function = "01", status = "39" }]',
            "must be rejected",
        ),
        ('{ function = "02" },', '{ function = "10" },', "on the way to accepted"),
        ('{ function = "01", status = "39" }', '{ function = "99" }', "means nothing"),
        ('{ function = "01", status = "39" }', '{ function = "accepted" }', "one or two digits"),
        ('[{ function = "03", status = "41" }]', "[]", "answers.rejected"),
        ("delay = 0.2", 'delay = "0.2"', "delay must be a number"),
        ("delay = 0.2", "delay = -1", "delay must not be less than 0"),
        ('"00:00-24:00-05:00"', '"0:00-24:00-05:00"', "opening must look like"),
        ('"00:00-24:00-05:00"', '"00:00-27:00-05:00"', "no hours of a day"),
        ("size = 16_000_000", "size = 0", "size must be more than 0"),
        ("size = 16_000_000", "sise = 16_000_000", "unknown key sise"),
        ('economy = "PE"', 'economy = "PX"', "is no country"),
        ('kind = "window"', 'kind = "windows"', "must be one of"),
        ('kind = "window"', 'kind = "agency"', "belong to windows"),
        ("profile = ", "profil = ", "profil"),
        ('value = "20987654300"', 'value = "20987654301"', "identifiers"),
        ('scheme = "ruc"', 'scheme = "rux"', "no identifier kind 'rux'"),
        ('languages = ["es", "en"]', 'languages = ["es", "en", "qu"]', "message.qu is missing"),
        ("accepts = [", "accepts = {", "not TOML"),
    ],
    US: [
        ('after = "10m"', 'after = "10 min"', "a time is written"),
        ('escalate = ["1h"]', 'escalate = ["5m"]', "grows"),
        ("[patience]", "[patients]", "unknown key patients"),
        ("receipt = {", "recept = {", "unknown key recept"),
        ('[{ function = "29" }]', '[{ function = "27" }]', "must be accepted"),
    ],
    PESUNAT: [
        ("GoodsShipment/Buyer/Name", "GoodsShipment/Buyer/Nmae", "nothing would be kept out"),
        ("GoodsShipment/Buyer/Address/Line", "GoodsShipment/Byer/Address/Line", "nothing would be kept out"),
        ("retention_days = 14", "retention_days = -1", "retention_days must be more than 0"),
        ("[policy]", "[polices]", "unknown key polices"),
        ("redaction = [", "redactions = [", "unknown key redactions"),
    ],
    CO: [
        ("[limits]", "[answers]\nform = 'cod-ack'\n[limits]", "is none of"),
        ("[limits]", "[policy]\nduplicates = 'refuse'\n[limits]", "must be one of"),
    ],
    ASEAN: [('chapters = ["01-97"]', 'chapters = ["01-97", "x"]', "chapters: write")],
    # --- code lists ---------------------------------------------------------------------------------------------------
    f"{LISTS}/incoterms/list.toml": [
        ("valid_from = 2010-01-01\n", "", ""),
        ("2011-01-01", "2000-01-01", "hold on the same days"),
        ("valid_from = 2020-01-01", "", "hold on the same days"),
        ("valid_from = 2000-01-01", "valid_from = 2000-01-01\nvalid_to = 2015-01-01", "overlap"),
        ("valid_from = 2000-01-01", "valid_from = 2000-01-01\nvalid_to = 1999-01-01", "and begins on"),
        ('version = "2010"', 'version = "2020"', "is there twice"),
        ('version = "2010"', 'version = "2015"', "2015.csv is missing"),
        ("valid_from = 2000-01-01", 'valid_from = "2000-01-01"', "must be of type date"),
        ("valid_from = 2000-01-01", "valid_form = 2000-01-01", "unknown key valid_form"),
        ('agency = "ICC"', 'agency = ""', "agency is missing"),
        ('title = "', 'kind = "table"\ntitle = "', "must be one of"),
        ("[[editions]]", "[[edition]]", "unknown key edition"),
    ],
    f"{LISTS}/incoterms/2020.csv": [
        ("CIP,carriage", "CFR,carriage", "twice there"),
        ("CIP,carriage", ",carriage", "is empty"),
        ("CIP,carriage", "CIP,more,carriage", "too many cells"),
        ("code,name", "code,name,valid_from", ""),
    ],
    f"{LISTS}/incoterms/2030.csv": [("", "code,name\nFOB,free on board\n", "no edition of list.toml names it")],
    f"{LISTS}/iso-3166-1/2020.csv": [
        ("\nPE,", "\nPX,", "leads to what is no code of iso-3166-1 @mappings/codelists"),
    ],
    f"{LISTS}/cod-unit-to-rec-20/2024.csv": [
        ("CENTIMETRO,CMT", "CENTIMETRO,CMX", "leads to what is no code"),
        ("CENTIMETRO,CMT", "Centos.,CMT", "are one text"),
        ("CENTIMETRO,CMT", "CENTIMETRO,", ""),
        ("CENTIMETRO,CMT", "CENTIMETRO", ""),
    ],
    f"{LISTS}/identifiers.toml": [
        ('pattern = "[0-9]{8}"', 'pattern = "[0-9{8}"', "pattern"),
        ('check = { stdnum = "pe.ruc" }', 'check = { stdnm = "pe.ruc" }', "there is no check"),
        ('[kinds.dni]\nname = "', '[kinds.dni]\nnmae = "', "name is missing"),
        ("[schemes.", "[scheme.", "unknown key scheme"),
    ],
    # --- envelopes ----------------------------------------------------------------------------------------------------
    "mappings/envelopes/soap-1.1.toml": [
        ("soap:Body[count(*) = 1]/*", "soap:Body[count(*) = 1/*", "content"),
        ("soap:Body[count(*) = 1]/*", "soup:Body/*", "content"),
        ("soap:Body[count(*) = 1]/*", "cuont(soap:Body)", "content"),
        ('form = "element"', 'form = "elment"', "must be one of"),
        ('form = "element"', "", "form is missing"),
        ("why = ", "because = ", "why is missing"),
        ('root = "', 'root = ""\n_r = "', "root is missing"),
    ],
    "mappings/envelopes/ephyto-hub.toml": [('content = "', 'when = "hub:X["\ncontent = "', "when")],
    "mappings/envelopes/soap-9.toml": [
        (
            "",
            'root = "{http://schemas.xmlsoap.org/soap/envelope/}Envelope"\ncontent = "*"\nform = "element"\nwhy = "-"',
            "`when` tells them apart",
        ),
    ],
    # --- schemas ------------------------------------------------------------------------------------------------------
    "xsd/aladi-cod/1.8/cod.xsd": [
        ("</xs:schema>", "", "cod.xsd"),
        ('schemaLocation="values.xsd"', 'schemaLocation="value.xsd"', "value.xsd"),
        ("xs:include", "xs:includes", "content is not valid"),
    ],
    "xsd/aladi-cod/1.8/values.xsd": [
        ("</xs:schema>", '<xs:element name="X" type="NoSuch"/></xs:schema>', "from this schema to components")
    ],
    "xsd/tradetrust/1/certificate-of-origin.json": [
        (
            '"isPreferential": {',
            '"isPreferentail": {',
            "no isPreferential there @mappings/documents/origin/tradetrust-coo-1",
        ),
        ('"type": "object"', '"type": "objekt"', "objekt @mappings/documents/origin/tradetrust-coo-1/document.toml"),
        ('"required": [', '"required": [,', "document.toml @mappings/documents/origin/tradetrust-coo-1"),
    ],
    "xsd/wco/3.6/payload.rules.toml": [('test = "', 'test = "((', "XPath @xsd/wco/3.6/payload.rules.toml")],
    # --- answers and states -------------------------------------------------------------------------------------------
    f"{STATES}/states.toml": [
        ("[not_routed]", "[not_ruoted]", "states must name each canonical state once @mappings/statuses"),
        ('verdict = "rejected"', 'verdict = "rejcted"', "must be one of"),
        ("meaning = ", "means = ", "meaning is missing"),
    ],
    f"{STATES}/lists/dms.toml": [
        ('state = "accepted"}', 'state = "acepted"}', "is no canonical state"),
        ('name = "declaration rejected", state = "rejected"', 'name = "declaration rejected"', "or why there is none"),
        ("rest = ", "rests = ", "rest is missing"),
    ],
    "mappings/responses/sentences.toml": [
        ('zh = "无法读取内容。"', "", "content has no sentence in zh"),
        ('es = "El mensaje está vacío."', "", "content.empty has no sentence in es"),
        ('["content"]', '["content"', "not TOML"),
    ],
    "mappings/responses/cod-acknowledgement/response.toml": [
        ('lists = ["un-1373"]', 'lists = ["un-1337"]', "is none of"),
        ("[local-name()='CertificateID']", "[local-name()='CertificateID'", "responses/cod-acknowledgement"),
    ],
    "mappings/responses/cod-acknowledgement/response.xsl": [
        ("</xsl:stylesheet>", "", "responses/cod-acknowledgement"),
        ("<xsl:template", "<xsl:tmplate", "responses/cod-acknowledgement"),
    ],
    "mappings/writeoff.toml": [
        ('"sps"', '"spss"', "there is no family spss"),
        ("families", "familys", "familys"),
    ],
    "mappings/relations.toml": [
        ("[[alike]]", "[[alikes]]", "alikes"),
        ('why = "a reference to a prec', 'wy = "a reference to a prec', "why is missing"),
    ],
}
