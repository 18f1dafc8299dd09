<?xml version="1.0" encoding="UTF-8"?>
<!-- The acknowledgement of xsd/acknowledgement/1.0: one element for each thing that a sender may want to read. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns="urn:swb:acknowledgement:1.0">
  <xsl:output method="xml" encoding="UTF-8" indent="yes"/>

  <xsl:template match="/reply">
    <Acknowledgement id="{@id}" kind="{@kind}">
      <Issued><xsl:value-of select="@at"/></Issued>
      <MessageId><xsl:value-of select="@message"/></MessageId>
      <ConversationId><xsl:value-of select="@conversation"/></ConversationId>
      <xsl:for-each select="reference[@name = 'certificate']"><CertificateId><xsl:value-of select="."/></CertificateId></xsl:for-each>
      <xsl:for-each select="reference[@name = 'entity']"><EntityId><xsl:value-of select="."/></EntityId></xsl:for-each>
      <xsl:if test="@window != ''">
        <Window code="{@window}"><xsl:value-of select="@window-name"/></Window>
      </xsl:if>
      <xsl:if test="@mrn != ''"><WindowReference><xsl:value-of select="@mrn"/></WindowReference></xsl:if>
      <xsl:if test="@answer != ''"><WindowAnswer><xsl:value-of select="@answer"/></WindowAnswer></xsl:if>
      <State code="{@state}">
        <xsl:for-each select="status[@list = 'un-1373']"><xsl:attribute name="documentStatus"><xsl:value-of select="@code"/></xsl:attribute></xsl:for-each>
        <xsl:if test="@function != ''"><xsl:attribute name="windowCode"><xsl:value-of select="@function"/></xsl:attribute></xsl:if>
        <xsl:if test="@issued != ''"><xsl:attribute name="since"><xsl:value-of select="@issued"/></xsl:attribute></xsl:if>
        <xsl:for-each select="title"><Text lang="{@lang}"><xsl:value-of select="."/></Text></xsl:for-each>
      </State>
      <xsl:apply-templates select="finding"/>
      <xsl:apply-templates select="remark"/>
      <xsl:apply-templates select="detail"/>
      <xsl:apply-templates select="at"/>
    </Acknowledgement>
  </xsl:template>

  <xsl:template match="finding">
    <Finding code="{@code}" severity="{@severity}">
      <xsl:if test="@rule != ''"><xsl:attribute name="rule"><xsl:value-of select="@rule"/></xsl:attribute></xsl:if>
      <xsl:for-each select="message"><Text lang="{@lang}"><xsl:value-of select="."/></Text></xsl:for-each>
      <xsl:for-each select="text"><WindowText><xsl:value-of select="."/></WindowText></xsl:for-each>
      <xsl:if test="@pointer != ''">
        <Place path="{@pointer}">
          <xsl:if test="@line != ''"><xsl:attribute name="line"><xsl:value-of select="@line"/></xsl:attribute></xsl:if>
          <xsl:if test="@label != ''"><xsl:attribute name="label"><xsl:value-of select="@label"/></xsl:attribute></xsl:if>
          <xsl:value-of select="@value"/>
        </Place>
      </xsl:if>
      <xsl:if test="@payload-pointer != ''"><PayloadPointer><xsl:value-of select="@payload-pointer"/></PayloadPointer></xsl:if>
    </Finding>
  </xsl:template>

  <xsl:template match="remark">
    <Remark>
      <xsl:for-each select="@type | @code | @limit">
        <xsl:if test=". != ''"><xsl:attribute name="{name()}"><xsl:value-of select="."/></xsl:attribute></xsl:if>
      </xsl:for-each>
      <xsl:value-of select="."/>
    </Remark>
  </xsl:template>

  <xsl:template match="detail"><Detail path="{@path}"><xsl:value-of select="."/></Detail></xsl:template>

  <xsl:template match="at">
    <At window="{@window}" state="{@state}"><xsl:value-of select="reason"/></At>
  </xsl:template>
</xsl:stylesheet>
