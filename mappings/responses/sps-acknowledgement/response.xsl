<?xml version="1.0" encoding="UTF-8"?>
<!--
  SPSAcknowledgement:17. StatusCode is UN 4405. Each finding is a run of ReasonInformation: "Code:" begins it, then a
  sentence in each language, the window's own words, path, line, label and value in the certificate.
-->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns="urn:un:unece:uncefact:data:standard:SPSAcknowledgement:17"
    xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:21"
    xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:21">
  <xsl:output method="xml" encoding="UTF-8" indent="yes"/>

  <xsl:template match="/reply">
    <SPSAcknowledgement>
      <SPSAcknowledgementDocument>
        <ram:IssueDateTime><udt:DateTime><xsl:value-of select="@at"/></udt:DateTime></ram:IssueDateTime>
        <ram:StatusCode><xsl:value-of select="status[@list = 'un-4405']/@code"/></ram:StatusCode>
        <xsl:for-each select="title">
          <ram:ReasonInformation languageID="{@lang}">
            <xsl:if test="../@window-name != ''"><xsl:value-of select="../@window-name"/>: </xsl:if>
            <xsl:value-of select="."/>
          </ram:ReasonInformation>
        </xsl:for-each>
        <xsl:apply-templates select="finding | remark | detail | at"/>
        <ram:ReferenceSPSReferencedDocument>
          <xsl:if test="reference[@name = 'type'] and @kind != 'refusal'">
            <ram:TypeCode><xsl:value-of select="reference[@name = 'type']"/></ram:TypeCode>
          </xsl:if>
          <ram:ID>
            <xsl:value-of select="reference[@name = 'number']"/>
            <xsl:if test="not(reference[@name = 'number'])"><xsl:value-of select="@message"/></xsl:if>
          </ram:ID>
          <ram:Information>Message <xsl:value-of select="@message"/></ram:Information>
        </ram:ReferenceSPSReferencedDocument>
        <xsl:if test="@mrn != ''">
          <ram:ReferenceSPSReferencedDocument>
            <ram:ID><xsl:value-of select="@mrn"/></ram:ID>
            <ram:Information>Reference given by <xsl:value-of select="@window"/></ram:Information>
          </ram:ReferenceSPSReferencedDocument>
        </xsl:if>
      </SPSAcknowledgementDocument>
    </SPSAcknowledgement>
  </xsl:template>

  <xsl:template match="finding">
    <ram:ReasonInformation>
      <xsl:text>Code: </xsl:text><xsl:value-of select="@code"/>
      <xsl:text> (</xsl:text><xsl:value-of select="@severity"/>
      <xsl:if test="@rule != '' and @rule != @code">, rule <xsl:value-of select="@rule"/></xsl:if>
      <xsl:text>)</xsl:text>
    </ram:ReasonInformation>
    <xsl:for-each select="message">
      <ram:ReasonInformation languageID="{@lang}"><xsl:value-of select="."/></ram:ReasonInformation>
    </xsl:for-each>
    <xsl:if test="text"><ram:ReasonInformation>Window: <xsl:value-of select="text"/></ram:ReasonInformation></xsl:if>
    <xsl:if test="@pointer != ''"><ram:ReasonInformation>Path: <xsl:value-of select="@pointer"/></ram:ReasonInformation></xsl:if>
    <xsl:if test="@line != ''"><ram:ReasonInformation>Line: <xsl:value-of select="@line"/></ram:ReasonInformation></xsl:if>
    <xsl:if test="@label != ''"><ram:ReasonInformation>Label: <xsl:value-of select="@label"/></ram:ReasonInformation></xsl:if>
    <xsl:if test="@value != ''"><ram:ReasonInformation>Value: <xsl:value-of select="@value"/></ram:ReasonInformation></xsl:if>
    <xsl:if test="@payload-pointer != ''"><ram:ReasonInformation>Payload: <xsl:value-of select="@payload-pointer"/></ram:ReasonInformation></xsl:if>
  </xsl:template>

  <xsl:template match="remark">
    <ram:ReasonInformation>
      <xsl:text>Remark: </xsl:text><xsl:value-of select="normalize-space(concat(@type, ' ', @code, ' ', .))"/>
      <xsl:if test="@limit != ''"> until <xsl:value-of select="@limit"/></xsl:if>
    </ram:ReasonInformation>
  </xsl:template>

  <xsl:template match="detail">
    <ram:ReasonInformation>Detail: <xsl:value-of select="@path"/> = <xsl:value-of select="."/></ram:ReasonInformation>
  </xsl:template>

  <xsl:template match="at">
    <ram:ReasonInformation>
      <xsl:text>At </xsl:text><xsl:value-of select="@window"/>: <xsl:value-of select="title[1]"/>
      <xsl:if test="reason"> (<xsl:value-of select="reason"/>)</xsl:if>
    </ram:ReasonInformation>
  </xsl:template>
</xsl:stylesheet>
