"""The facts of a Chilean export invoice or note (SII, DTE 110, 111, 112)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.independent import forms
from tests.support.independent.facts import Facts, Line, Party, Value, Values
from tests.support.independent.trees import allowed, amounts, find, first, measures, moments, tariffs, values

if TYPE_CHECKING:
    from lxml import etree

ROOTS = {"{http://www.sii.cl/SiiDte}DTE"}
KINDS = {"110": "380", "111": "383", "112": "381"}
CURRENCIES = {
    "DOLAR USA": "USD", "PESO CL": "CLP", "EURO": "EUR", "LIBRA EST": "GBP", "YEN": "JPY", "RENMINBI": "CNY",
    "REAL": "BRL", "BOLIVAR": "VEF", "NUEVO SOL": "PEN", "FRANCO SZ": "CHF", "DOLAR CAN": "CAD", "DOLAR AUST": "AUD",
    "CORONA SC": "SEK", "CORONA DC": "DKK", "CORONA NOR": "NOK",
    "DOLAR HK": "HKD", "DOLAR NZ": "NZD", "DOLAR SIN": "SGD",
}  # fmt: skip
COUNTRIES = {
    "216": "MX", "218": "CO", "219": "PE", "220": "BR", "221": "BO", "222": "PY", "223": "UY", "224": "AR", "225": "US",
    "226": "CA", "331": "JP", "332": "SG", "333": "KR", "336": "CN", "406": "AU", "505": "FR", "510": "GB", "517": "ES",
    "563": "DE", "997": "CL", "135": "TZ", "515": "NL", "504": "IT", "342": "HK", "330": "TW", "405": "NZ",
}  # fmt: skip
"""Aduana de Chile, annex 51-9; of it, what the documents at hand name."""
MODES = {"1": "1", "01": "1", "4": "4", "04": "4", "6": "2", "06": "2", "7": "3", "07": "3"}
"""Aduana's via de transporte to Recommendation 19: sea, air, rail, road."""
UNITS = {"MT": "MTR", "MT2": "MTK", "KN": "KGM"}
"""Aduana de Chile, annex 51-24, by its abbreviations."""
TARIFF_KINDS = ("HS", "ARANCEL", "ARANCELARIO", "SA")
MASS = {"6": "KGM", "06": "KGM", "1": "TNE", "4": "TNE", "7": "GRM"}


def read(root: etree._Element) -> Facts:
    """The facts of one document."""
    (body,) = find(root, "Exportaciones")
    customs = "Encabezado/Transporte/Aduana"
    named = next((v.text for v in values(body, "Encabezado/Totales/TpoMoneda")), "")
    currency = currency_of(named)
    seller = Party(
        values(body, "Encabezado/Emisor/RznSoc"),
        values(body, "Encabezado/Emisor/RUTEmisor", form=forms.identifier),
    )
    nationality = _countries(body, "Encabezado/Receptor/Extranjero/Nacionalidad")
    buyer = Party(
        values(body, "Encabezado/Receptor/RznSocRecep"),
        values(
            body,
            "Encabezado/Receptor/Extranjero/NumId",
            "Encabezado/Receptor/RUTRecep",
            "Encabezado/Receptor/Extranjero/IdAdicRecep",
            form=forms.identifier,
        ),
        (*allowed(nationality), *allowed(_countries(body, f"{customs}/CodPaisRecep"))),
    )
    boxes = f"{customs}/TipoBultos"
    return Facts(
        lines=tuple(_line(line, currency, named) for line in find(body, "Detalle")),
        parties={
            "seller": Party(seller.name, seller.id, _chile()),
            "exporter": Party(allowed(seller.name), allowed(seller.id), _chile()),
            "buyer": buyer,
            "consignee": Party(allowed(buyer.name), allowed(buyer.id), allowed(buyer.country)),
            "carrier": Party(
                values(body, f"{customs}/NomCiaTransp"),
                values(body, f"{customs}/RUTCiaTransp", form=forms.identifier)
                + allowed(values(body, f"{customs}/IdAdicTransp", form=forms.identifier)),
            ),
        },
        number=values(body, "Encabezado/IdDoc/Folio", form=forms.identifier),
        kind=tuple(Value(KINDS.get(v.text, v.text), v.at) for v in values(body, "Encabezado/IdDoc/TipoDTE")),
        issued=moments(body, "Encabezado/IdDoc/FchEmis"),
        invoice=values(body, "Encabezado/IdDoc/Folio", form=forms.identifier)
        + allowed(values(body, "Referencia/FolioRef", form=forms.identifier)),
        invoiced=allowed(moments(body, "Encabezado/IdDoc/FchEmis"), moments(body, "Referencia/FchRef")),
        total=amounts(body, "Encabezado/Totales/MntTotal", currency=currency, named=named),
        gross=_masses(body, f"{customs}/PesoBruto", f"{customs}/CodUnidPesoBruto"),
        packages=values(body, f"{customs}/TotBultos", form=forms.number),
        export=_chile(),
        destination=first(
            _countries(body, f"{customs}/CodPaisDestin"), allowed(_countries(body, f"{customs}/CodPaisRecep"))
        ),
        mode=tuple(Value(MODES.get(v.text, v.text), v.at) for v in values(body, f"{customs}/CodViaTransp")),
        means=values(body, f"{customs}/NombreTransp")
        + allowed(values(body, f"{customs}/IdAdicTransp"), values(body, "Encabezado/Transporte/Patente")),
        equipment=values(body, f"{boxes}/IdContainer", form=forms.identifier),
        seals=values(body, f"{boxes}/Sello", form=forms.identifier),
        freight=amounts(body, f"{customs}/MntFlete", currency=currency),
    )


def currency_of(name: str) -> str:
    """ISO 4217 of the name in SII's list."""
    return CURRENCIES.get(name.strip().upper(), name)


def _chile() -> Values:
    """An export document of SII is issued in Chile, and what it bills leaves from there."""
    return (Value("CL", must=False),)


def _countries(body: etree._Element, path: str) -> Values:
    return tuple(Value(COUNTRIES.get(v.text, f"Aduana {v.text}"), v.at) for v in values(body, path))


def _masses(body: etree._Element, number: str, unit: str) -> Values:
    code = next((MASS.get(v.text, v.text) for v in values(body, unit)), "")
    return measures(body, number, unit=code)


def _line(line: etree._Element, currency: str, named: str) -> Line:
    unit = next((UNITS.get(v.text.upper(), v.text) for v in values(line, "UnmdItem")), "")
    return Line(
        description=values(line, "NmbItem", "DscItem"),
        quantity=measures(line, "QtyItem", unit=unit),
        amount=amounts(line, "MontoItem", currency=currency, named=named),
        tariff=tariffs(line, *(f"CdgItem[sii:TpoCodigo='{kind}']/VlrCodigo" for kind in TARIFF_KINDS)),
    )
