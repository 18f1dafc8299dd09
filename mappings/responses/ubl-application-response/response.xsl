<?xml version="1.0" encoding="UTF-8"?>
<!--
  UBL 2.1 ApplicationResponse. Receipt, refusal and notice use the status codes of the Peppol message level status, an
  answer those of the Peppol invoice response. Each finding is a Status; its Conditions name rule, path, line, label and
  value in the sender's document.
-->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns="urn:oasis:names:specification:ubl:schema:xsd:ApplicationResponse-2"
    xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
    xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <xsl:output method="xml" encoding="UTF-8" indent="yes"/>
  <xsl:variable name="business" select="boolean(/reply/status[@list = 'peppol-invoice-response']) and not(/reply/status[@list = 'peppol-mls'] and /reply/@kind != 'answer')"/>

  <xsl:template match="/reply">
    <ApplicationResponse>
      <cbc:UBLVersionID>2.1</cbc:UBLVersionID>
      <xsl:choose>
        <xsl:when test="$business">
          <cbc:CustomizationID>urn:fdc:peppol.eu:poacc:trns:invoice_response:3</cbc:CustomizationID>
          <cbc:ProfileID>urn:fdc:peppol.eu:poacc:bis:invoice_response:3</cbc:ProfileID>
        </xsl:when>
        <xsl:otherwise>
          <cbc:CustomizationID>urn:peppol:edec:mls:1.0</cbc:CustomizationID>
          <cbc:ProfileID>urn:peppol:edec:mls</cbc:ProfileID>
        </xsl:otherwise>
      </xsl:choose>
      <cbc:ID><xsl:value-of select="@id"/></cbc:ID>
      <cbc:IssueDate><xsl:value-of select="substring-before(@at, 'T')"/></cbc:IssueDate>
      <cbc:IssueTime><xsl:value-of select="substring-after(@at, 'T')"/></cbc:IssueTime>
      <xsl:apply-templates select="at | detail"/>
      <cac:SenderParty>
        <cac:PartyIdentification>
          <cbc:ID>
            <xsl:choose><xsl:when test="@window != ''"><xsl:value-of select="@window"/></xsl:when><xsl:otherwise>swb</xsl:otherwise></xsl:choose>
          </cbc:ID>
        </cac:PartyIdentification>
        <xsl:if test="@window-name != ''">
          <cac:PartyName><cbc:Name><xsl:value-of select="@window-name"/></cbc:Name></cac:PartyName>
        </xsl:if>
      </cac:SenderParty>
      <cac:ReceiverParty>
        <xsl:if test="reference[@name = 'endpoint']">
          <cbc:EndpointID>
            <xsl:if test="reference[@name = 'endpoint-scheme']">
              <xsl:attribute name="schemeID"><xsl:value-of select="reference[@name = 'endpoint-scheme']"/></xsl:attribute>
            </xsl:if>
            <xsl:value-of select="reference[@name = 'endpoint']"/>
          </cbc:EndpointID>
        </xsl:if>
        <cac:PartyIdentification><cbc:ID><xsl:value-of select="@sender"/></cbc:ID></cac:PartyIdentification>
        <xsl:if test="reference[@name = 'supplier']">
          <cac:PartyLegalEntity>
            <cbc:RegistrationName><xsl:value-of select="reference[@name = 'supplier']"/></cbc:RegistrationName>
          </cac:PartyLegalEntity>
        </xsl:if>
      </cac:ReceiverParty>
      <cac:DocumentResponse>
        <cac:Response>
          <cbc:ReferenceID><xsl:value-of select="@message"/></cbc:ReferenceID>
          <xsl:choose>
            <xsl:when test="$business">
              <cbc:ResponseCode listID="UNCL4343OpSubset"><xsl:value-of select="status[@list = 'peppol-invoice-response']/@code"/></cbc:ResponseCode>
            </xsl:when>
            <xsl:when test="status[@list = 'peppol-mls']">
              <cbc:ResponseCode><xsl:value-of select="status[@list = 'peppol-mls']/@code"/></cbc:ResponseCode>
            </xsl:when>
          </xsl:choose>
          <xsl:for-each select="title">
            <cbc:Description languageID="{@lang}"><xsl:value-of select="."/></cbc:Description>
          </xsl:for-each>
          <xsl:if test="@issued != ''"><cbc:EffectiveDate><xsl:value-of select="substring-before(@issued, 'T')"/></cbc:EffectiveDate></xsl:if>
          <xsl:apply-templates select="finding | remark"/>
        </cac:Response>
        <cac:DocumentReference>
          <cbc:ID>
            <xsl:value-of select="reference[@name = 'number']"/>
            <xsl:if test="not(reference[@name = 'number'])"><xsl:value-of select="@message"/></xsl:if>
          </cbc:ID>
          <xsl:variable name="issued" select="reference[@name = 'issued']"/>
          <xsl:if test="@kind != 'refusal' and translate($issued, '0123456789', '##########') = '####-##-##'">
            <cbc:IssueDate><xsl:value-of select="$issued"/></cbc:IssueDate>
          </xsl:if>
          <xsl:if test="reference[@name = 'type']">
            <cbc:DocumentTypeCode><xsl:value-of select="reference[@name = 'type']"/></cbc:DocumentTypeCode>
          </xsl:if>
        </cac:DocumentReference>
        <xsl:if test="@mrn != ''">
          <cac:DocumentReference>
            <cbc:ID><xsl:value-of select="@mrn"/></cbc:ID>
            <cbc:DocumentType>Reference given by <xsl:value-of select="@window"/></cbc:DocumentType>
          </cac:DocumentReference>
        </xsl:if>
      </cac:DocumentResponse>
    </ApplicationResponse>
  </xsl:template>

  <xsl:template match="finding">
    <cac:Status>
      <cbc:ConditionCode><xsl:value-of select="@code"/></cbc:ConditionCode>
      <xsl:for-each select="text"><cbc:Description><xsl:value-of select="."/></cbc:Description></xsl:for-each>
      <xsl:choose>
        <xsl:when test="$business"><cbc:StatusReasonCode listID="OPStatusReason">OTH</cbc:StatusReasonCode></xsl:when>
        <xsl:when test="@severity = 'warning'"><cbc:StatusReasonCode>BW</cbc:StatusReasonCode></xsl:when>
        <xsl:when test="starts-with(@code, 'content.') or starts-with(@code, 'schema.')"><cbc:StatusReasonCode>SV</cbc:StatusReasonCode></xsl:when>
        <xsl:when test="starts-with(@code, 'delivery.')"><cbc:StatusReasonCode>FD</cbc:StatusReasonCode></xsl:when>
        <xsl:otherwise><cbc:StatusReasonCode>BV</cbc:StatusReasonCode></xsl:otherwise>
      </xsl:choose>
      <xsl:for-each select="message"><cbc:StatusReason languageID="{@lang}"><xsl:value-of select="."/></cbc:StatusReason></xsl:for-each>
      <xsl:for-each select="@rule | @severity | @pointer | @line | @label | @value | @payload-pointer">
        <xsl:if test=". != ''">
          <cac:Condition>
            <cbc:AttributeID><xsl:value-of select="name()"/></cbc:AttributeID>
            <cbc:Description><xsl:value-of select="."/></cbc:Description>
          </cac:Condition>
        </xsl:if>
      </xsl:for-each>
    </cac:Status>
  </xsl:template>

  <xsl:template match="remark">
    <cac:Status>
      <cbc:StatusReason><xsl:value-of select="normalize-space(concat(@type, ' ', @code, ' ', .))"/></cbc:StatusReason>
      <xsl:if test="@limit != ''">
        <cac:Condition><cbc:AttributeID>limit</cbc:AttributeID><cbc:Description><xsl:value-of select="@limit"/></cbc:Description></cac:Condition>
      </xsl:if>
    </cac:Status>
  </xsl:template>

  <xsl:template match="detail">
    <cbc:Note><xsl:value-of select="@path"/> = <xsl:value-of select="."/></cbc:Note>
  </xsl:template>

  <xsl:template match="at">
    <cbc:Note>
      <xsl:value-of select="@window"/>: <xsl:value-of select="title[1]"/>
      <xsl:if test="reason"> (<xsl:value-of select="reason"/>)</xsl:if>
    </cbc:Note>
  </xsl:template>
</xsl:stylesheet>
