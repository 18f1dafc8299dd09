<?xml version="1.0" encoding="UTF-8"?>
<!--
  RES of the WCO Data Model 3.6. FunctionCode is the DMS code of the state; a state without one is 11 (an answer of any kind)
  and is told in words. Each finding is an Error with the chain into the payload; what the sender's own document says of it
  follows as AdditionalInformation that points at that Error (07B, 53A#n): StatementTypeCode SWB, StatementCode says what.
  A text longer than the element (512) goes on in the next statement: nothing is cut.
-->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2" xmlns:res="urn:wco:datamodel:WCO:RES-DMS:2"
    xmlns:ds="urn:wco:datamodel:WCO:Response_DS:DMS:2">
  <xsl:output method="xml" encoding="UTF-8" indent="yes"/>
  <xsl:variable name="code" select="/reply/status[@list = 'dms']/@code"/>

  <xsl:template match="/reply">
    <MetaData>
      <WCODataModelVersionCode>3.6</WCODataModelVersionCode>
      <WCOTypeName>RES</WCOTypeName>
      <res:Response>
        <res:FunctionCode>
          <xsl:choose>
            <xsl:when test="contains($code, '/')"><xsl:value-of select="substring-before($code, '/')"/></xsl:when>
            <xsl:when test="$code"><xsl:value-of select="$code"/></xsl:when>
            <xsl:otherwise>11</xsl:otherwise>
          </xsl:choose>
        </res:FunctionCode>
        <res:FunctionalReferenceID><xsl:value-of select="substring(@id, 1, 35)"/></res:FunctionalReferenceID>
        <res:IssueDateTime><xsl:call-template name="moment"><xsl:with-param name="at" select="@at"/></xsl:call-template></res:IssueDateTime>
        <xsl:call-template name="say"><xsl:with-param name="what">kind</xsl:with-param><xsl:with-param name="text" select="@kind"/></xsl:call-template>
        <xsl:call-template name="say"><xsl:with-param name="what">state</xsl:with-param><xsl:with-param name="text" select="@state"/></xsl:call-template>
        <xsl:call-template name="say"><xsl:with-param name="what">window</xsl:with-param><xsl:with-param name="text" select="@window"/></xsl:call-template>
        <xsl:for-each select="title">
          <xsl:call-template name="say"><xsl:with-param name="what" select="concat('title-', @lang)"/><xsl:with-param name="text" select="."/></xsl:call-template>
        </xsl:for-each>
        <xsl:if test="string-length(@mrn) &gt; 70">
          <xsl:call-template name="say"><xsl:with-param name="what">reference</xsl:with-param><xsl:with-param name="text" select="@mrn"/></xsl:call-template>
        </xsl:if>
        <xsl:apply-templates select="finding" mode="said"/>
        <xsl:apply-templates select="remark | detail | at"/>
        <xsl:apply-templates select="finding"/>
        <xsl:if test="contains($code, '/')">
          <res:Status><res:NameCode><xsl:value-of select="substring-after($code, '/')"/></res:NameCode></res:Status>
        </xsl:if>
        <res:Declaration>
          <res:FunctionalReferenceID><xsl:value-of select="@message"/></res:FunctionalReferenceID>
          <xsl:if test="@mrn != '' and string-length(@mrn) &lt;= 70"><res:ID><xsl:value-of select="@mrn"/></res:ID></xsl:if>
          <xsl:if test="@version != '' and string-length(@version) &lt;= 9"><res:VersionID><xsl:value-of select="@version"/></res:VersionID></xsl:if>
        </res:Declaration>
      </res:Response>
    </MetaData>
  </xsl:template>

  <xsl:template match="finding">
    <res:Error>
      <xsl:if test="message"><res:Description><xsl:value-of select="normalize-space(substring(message[1], 1, 512))"/></res:Description></xsl:if>
      <res:ValidationCode>
        <xsl:choose>
          <xsl:when test="string-length(@code) &lt;= 8 and @code != ''"><xsl:value-of select="@code"/></xsl:when>
          <xsl:otherwise>SWB</xsl:otherwise>
        </xsl:choose>
      </res:ValidationCode>
      <xsl:for-each select="step">
        <res:Pointer>
          <xsl:if test="@sequence != ''"><res:SequenceNumeric><xsl:value-of select="@sequence"/></res:SequenceNumeric></xsl:if>
          <xsl:if test="@section != ''"><res:DocumentSectionCode><xsl:value-of select="@section"/></res:DocumentSectionCode></xsl:if>
          <xsl:if test="@tag != ''"><res:TagID><xsl:value-of select="@tag"/></res:TagID></xsl:if>
        </res:Pointer>
      </xsl:for-each>
    </res:Error>
  </xsl:template>

  <xsl:template match="finding" mode="said">
    <xsl:variable name="n" select="position()"/>
    <xsl:for-each select="@*[. != '']">
      <xsl:call-template name="say"><xsl:with-param name="what" select="name()"/><xsl:with-param name="text" select="."/><xsl:with-param name="of" select="$n"/></xsl:call-template>
    </xsl:for-each>
    <xsl:for-each select="message">
      <xsl:call-template name="say"><xsl:with-param name="what" select="concat('message-', @lang)"/><xsl:with-param name="text" select="."/><xsl:with-param name="of" select="$n"/></xsl:call-template>
    </xsl:for-each>
    <xsl:for-each select="text">
      <xsl:call-template name="say"><xsl:with-param name="what">window-text</xsl:with-param><xsl:with-param name="text" select="."/><xsl:with-param name="of" select="$n"/></xsl:call-template>
    </xsl:for-each>
  </xsl:template>

  <xsl:template match="remark">
    <xsl:call-template name="say">
      <xsl:with-param name="what">remark</xsl:with-param>
      <xsl:with-param name="text" select="concat(@type, ' ', @code, ' ', ., ' ', @limit)"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="detail">
    <xsl:call-template name="say"><xsl:with-param name="what">detail</xsl:with-param><xsl:with-param name="text" select="concat(@path, ' = ', .)"/></xsl:call-template>
  </xsl:template>

  <xsl:template match="at">
    <xsl:call-template name="say">
      <xsl:with-param name="what">at</xsl:with-param>
      <xsl:with-param name="text" select="normalize-space(concat(@window, ' ', @state, ' ', reason))"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template name="say">
    <xsl:param name="what"/>
    <xsl:param name="text"/>
    <xsl:param name="of"/>
    <xsl:variable name="line" select="normalize-space($text)"/>
    <xsl:if test="$line != ''">
      <res:AdditionalInformation>
        <res:StatementCode><xsl:value-of select="$what"/></res:StatementCode>
        <res:StatementDescription><xsl:value-of select="normalize-space(substring($line, 1, 512))"/></res:StatementDescription>
        <res:StatementTypeCode>SWB</res:StatementTypeCode>
        <xsl:if test="$of != ''">
          <res:Pointer><res:DocumentSectionCode>07B</res:DocumentSectionCode></res:Pointer>
          <res:Pointer><res:SequenceNumeric><xsl:value-of select="$of"/></res:SequenceNumeric><res:DocumentSectionCode>53A</res:DocumentSectionCode></res:Pointer>
        </xsl:if>
      </res:AdditionalInformation>
      <xsl:call-template name="say">
        <xsl:with-param name="what" select="$what"/><xsl:with-param name="text" select="substring($line, 513)"/><xsl:with-param name="of" select="$of"/>
      </xsl:call-template>
    </xsl:if>
  </xsl:template>

  <xsl:template name="moment">
    <xsl:param name="at"/>
    <ds:DateTimeString formatCode="304"><xsl:value-of select="concat(translate(substring($at, 1, 19), '-T:', ''), 'Z')"/></ds:DateTimeString>
  </xsl:template>
</xsl:stylesheet>
