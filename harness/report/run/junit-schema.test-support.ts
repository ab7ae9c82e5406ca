/**
 * A schema for our own JUnit files, narrower than the schema of any consumer. It has only the elements and attributes
 * that all versions of the Jenkins xunit plugin's junit-10.xsd share. Their order is that of JUnit 5's schema for
 * Jenkins (properties, testcases; outcome, system-out). Values have their strictest form.
 */
export const junitSchema = `<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">

  <xs:simpleType name="line">
    <xs:restriction base="xs:string"><xs:pattern value="\\S([^\\t\\r\\n]*\\S)?"/></xs:restriction>
  </xs:simpleType>

  <xs:simpleType name="lineOrNothing">
    <xs:restriction base="xs:string"><xs:pattern value="(\\S([^\\t\\r\\n]*\\S)?)?"/></xs:restriction>
  </xs:simpleType>

  <xs:simpleType name="seconds">
    <xs:restriction base="xs:string"><xs:pattern value="[0-9]+\\.[0-9]{3}"/></xs:restriction>
  </xs:simpleType>

  <xs:simpleType name="timestamp">
    <xs:restriction base="xs:dateTime">
      <xs:pattern value="[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"/>
    </xs:restriction>
  </xs:simpleType>

  <xs:element name="testsuites">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="testsuite" type="suite" maxOccurs="unbounded"/>
      </xs:sequence>
      <xs:attribute name="name" type="line" use="required"/>
      <xs:attribute name="tests" type="xs:positiveInteger" use="required"/>
      <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
      <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
      <xs:attribute name="time" type="seconds" use="required"/>
    </xs:complexType>
    <xs:unique name="suiteNames"><xs:selector xpath="testsuite"/><xs:field xpath="@name"/></xs:unique>
  </xs:element>

  <xs:complexType name="suite">
    <xs:sequence>
      <xs:element name="properties">
        <xs:complexType>
          <xs:sequence>
            <xs:element name="property" maxOccurs="unbounded">
              <xs:complexType>
                <xs:attribute name="name" type="line" use="required"/>
                <xs:attribute name="value" type="lineOrNothing" use="required"/>
              </xs:complexType>
            </xs:element>
          </xs:sequence>
        </xs:complexType>
        <xs:unique name="propertyNames"><xs:selector xpath="property"/><xs:field xpath="@name"/></xs:unique>
      </xs:element>
      <xs:element name="testcase" type="test" maxOccurs="unbounded"/>
    </xs:sequence>
    <xs:attribute name="name" type="line" use="required"/>
    <xs:attribute name="tests" type="xs:positiveInteger" use="required"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="skipped" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="time" type="seconds" use="required"/>
    <xs:attribute name="timestamp" type="timestamp" use="required"/>
    <xs:attribute name="hostname" type="line" use="required"/>
  </xs:complexType>

  <xs:complexType name="test">
    <xs:sequence>
      <xs:choice minOccurs="0">
        <xs:element name="skipped" type="skip"/>
        <xs:element name="error" type="problem"/>
        <xs:element name="failure" type="problem"/>
      </xs:choice>
      <xs:element name="system-out" type="xs:string" minOccurs="0"/>
    </xs:sequence>
    <xs:attribute name="classname" type="line" use="required"/>
    <xs:attribute name="name" type="line" use="required"/>
    <xs:attribute name="time" type="seconds" use="required"/>
  </xs:complexType>

  <xs:complexType name="skip">
    <xs:simpleContent>
      <xs:extension base="xs:string"><xs:attribute name="message" type="line" use="required"/></xs:extension>
    </xs:simpleContent>
  </xs:complexType>

  <xs:complexType name="problem">
    <xs:simpleContent>
      <xs:extension base="skip"><xs:attribute name="type" type="line" use="required"/></xs:extension>
    </xs:simpleContent>
  </xs:complexType>

</xs:schema>
`;
