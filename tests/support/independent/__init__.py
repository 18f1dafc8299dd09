"""An independent reading of documents and payloads, to hold one against the other.

Written from the published standards (UBL 2.1, UN/CEFACT CII, SPS certificate and preferential certificate of origin,
ALADI COD, SUNAT, SII, TradeTrust; WCO Data Model 3.6 for the payload) and from nothing else: no mapping row, no code
list and no path of the product is read here. It knows few facts of each document, those that a window decides by.
"""
