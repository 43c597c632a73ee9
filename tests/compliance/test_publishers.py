"""The lists of all publishers in small: what of a person, an organisation and a ship arrives, and what is left out."""

import json
import zipfile

import pytest

from compliance.models import ListEntry
from compliance.sources import SOURCES, BrokenFile, LeftOut
from compliance.watchlists import import_watchlist

OFAC_XML = """<?xml version="1.0"?><sdnList xmlns="https://sanctionslistservice.ofac.treas.gov/x/XML">
<publshInformation><Publish_Date>09/10/2026</Publish_Date><Record_Count>2</Record_Count></publshInformation>
<sdnEntry><uid>7001</uid><firstName>Juan</firstName><lastName>PÉREZ</lastName><sdnType>Individual</sdnType>
<programList><program>SDNT</program></programList>
<idList><id><uid>1</uid><idType>Gender</idType><idNumber>Male</idNumber></id>
<id><uid>2</uid><idType>Passport</idType><idNumber>AB123456</idNumber><idCountry>Colombia</idCountry></id>
<id><uid>3</uid><idType>Website</idType><idNumber>www.perez1.example</idNumber></id></idList>
<akaList><aka><uid>4</uid><category>weak</category><lastName>EL 7 PUÑALES</lastName></aka></akaList>
<addressList><address><uid>5</uid><city>Cali</city><country>Colombia</country></address></addressList>
<dateOfBirthList><dateOfBirthItem><dateOfBirth>01 Jan 1955 to 31 Dec 1956</dateOfBirth></dateOfBirthItem>
<dateOfBirthItem><dateOfBirth>circa 1960</dateOfBirth></dateOfBirthItem></dateOfBirthList></sdnEntry>
<sdnEntry><uid>8001</uid><lastName>OCEAN STAR</lastName><sdnType>Vessel</sdnType>
<idList><id><idType>Vessel Registration Identification</idType><idNumber>IMO 9187629</idNumber></id></idList></sdnEntry>
</sdnList>"""

OFAC_ADVANCED = """<?xml version="1.0"?><Sanctions xmlns="https://sanctionslistservice.ofac.treas.gov/x/ADVANCED_XML">
<DateOfIssue><Year>2026</Year><Month>5</Month><Day>21</Day></DateOfIssue>
<ReferenceValueSets>
<CountryValues><Country ID="11" ISO2="IR">Iran</Country></CountryValues>
<DetailReferenceValues><DetailReference ID="91">Male</DetailReference></DetailReferenceValues>
<FeatureTypeValues><FeatureType ID="8">Birthdate</FeatureType><FeatureType ID="25">Location</FeatureType>
<FeatureType ID="224">Gender</FeatureType><FeatureType ID="10">Nationality Country</FeatureType></FeatureTypeValues>
<IDRegDocTypeValues><IDRegDocType ID="1571">Passport</IDRegDocType></IDRegDocTypeValues>
<NamePartTypeValues><NamePartType ID="1520">Last Name</NamePartType><NamePartType ID="1521">First Name</NamePartType>
</NamePartTypeValues>
<PartySubTypeValues><PartySubType ID="4" PartyTypeID="1">Unknown</PartySubType></PartySubTypeValues>
<PartyTypeValues><PartyType ID="1">Individual</PartyType></PartyTypeValues>
<SanctionsTypeValues><SanctionsType ID="1">Program</SanctionsType></SanctionsTypeValues>
</ReferenceValueSets>
<Locations><Location ID="5"><LocationCountry CountryID="11"/>
<LocationPart><LocationPartValue><Value>Tehran</Value></LocationPartValue></LocationPart></Location></Locations>
<IDRegDocuments><IDRegDocument ID="1" IDRegDocTypeID="1571" IdentityID="19" IssuedBy-CountryID="11">
<IDRegistrationNo>K1234567</IDRegistrationNo></IDRegDocument></IDRegDocuments>
<DistinctParties><DistinctParty FixedRef="27307"><Profile ID="27307" PartySubTypeID="4"><Identity ID="19">
<Alias Primary="false" LowQuality="true"><DocumentedName><DocumentedNamePart>
<NamePartValue NamePartGroupID="1">THE ENGINEER</NamePartValue>
</DocumentedNamePart></DocumentedName></Alias>
<Alias Primary="true" LowQuality="false"><DocumentedName>
<DocumentedNamePart><NamePartValue NamePartGroupID="1">MOHAMMADI</NamePartValue></DocumentedNamePart>
<DocumentedNamePart><NamePartValue NamePartGroupID="2">Ali</NamePartValue></DocumentedNamePart></DocumentedName></Alias>
<NamePartGroups><MasterNamePartGroup><NamePartGroup ID="1" NamePartTypeID="1520"/></MasterNamePartGroup>
<MasterNamePartGroup><NamePartGroup ID="2" NamePartTypeID="1521"/></MasterNamePartGroup></NamePartGroups></Identity>
<Feature FeatureTypeID="8"><FeatureVersion><DatePeriod>
<Start><From><Year>1960</Year><Month>1</Month><Day>1</Day></From></Start>
<End><To><Year>1960</Year><Month>12</Month><Day>31</Day></To></End></DatePeriod></FeatureVersion></Feature>
<Feature FeatureTypeID="224"><FeatureVersion><VersionDetail DetailReferenceID="91"/></FeatureVersion></Feature>
<Feature FeatureTypeID="25"><FeatureVersion><VersionLocation LocationID="5"/></FeatureVersion></Feature>
</Profile></DistinctParty></DistinctParties>
<SanctionsEntries><SanctionsEntry ID="1" ProfileID="27307"><SanctionsMeasure SanctionsTypeID="1"><Comment>NPWMD</Comment>
</SanctionsMeasure></SanctionsEntry></SanctionsEntries></Sanctions>"""

EU_FSF = """<?xml version="1.0"?>
<export xmlns="http://eu.europa.ec/fpi/fsd/export" generationDate="2026-08-05T16:47:04.449+02:00">
<sanctionEntity designationDate="2003-07-08" unitedNationId="" euReferenceNumber="EU.77.33" logicalId="83">
<remark>UNSC RESOLUTION 1483</remark><regulation programme="IRQ"/><subjectType code="person" classificationCode="P"/>
<nameAlias wholeName="Tarek Mikhail Aziz" gender="M" strong="true"/><nameAlias firstName="Tariq" lastName="Aziz" wholeName=""/>
<nameAlias wholeName="طارق عزيز" strong="true"/><nameAlias wholeName="T. Aziz" strong="false"/>
<citizenship countryIso2Code="IQ" countryDescription="IRAQ"/>
<address city="Baghdad" countryIso2Code="00" countryDescription="UNKNOWN"/>
<birthdate circa="false" birthdate="1936-04-28" year="1936"/><birthdate circa="true" year="1937"/>
<birthdate yearRangeFrom="1930" yearRangeTo="1934"/>
<identification number="A1234567" identificationTypeCode="passport" countryIso2Code="IQ"/></sanctionEntity>
<sanctionEntity euReferenceNumber="EU.1.1" logicalId="9"><subjectType code="enterprise"/></sanctionEntity></export>"""

UK_XML = """<?xml version="1.0"?><Designations><DateGenerated>10/09/2026</DateGenerated>
<Designation><UniqueID>AFG0006</UniqueID><DateDesignated>25/01/2001</DateDesignated><UNReferenceNumber>TAi.002</UNReferenceNumber>
<Names><Name><Name6>Wali Mohammad</Name6><NameType>ALias</NameType><AliasStrength>Low quality a.k.a</AliasStrength></Name>
<Name><Name1>MOHAMMAD</Name1><Name2>HASSAN</Name2><Name6>AKHUND</Name6><NameType>Primary name</NameType></Name></Names>
<NonLatinNames><NonLatinName><NameNonLatinScript>محمد حسن آخوند</NameNonLatinScript></NonLatinName></NonLatinNames>
<RegimeName>Afghanistan</RegimeName><IndividualEntityShip>Individual</IndividualEntityShip>
<SanctionsImposedIndicators><SanctionsImposed>Asset freeze|Travel Ban</SanctionsImposed></SanctionsImposedIndicators>
<Addresses><Address><AddressLine6>Kabul</AddressLine6><AddressCountry>Afghanistan</AddressCountry></Address></Addresses>
<IndividualDetails><Individual><DOBs><DOB>dd/mm/1945</DOB><DOB>dd/03/1946</DOB></DOBs><Genders><Gender>Male</Gender></Genders>
<Nationalities><Nationality>Afghanistan</Nationality></Nationalities>
<PassportDetails><Passport><PassportNumber>P04581926</PassportNumber></Passport></PassportDetails></Individual>
</IndividualDetails>
</Designation><Designation><UniqueID>RUS0999</UniqueID><IndividualEntityShip>Ship</IndividualEntityShip>
<SanctionsImposed>Specified ship</SanctionsImposed>
<Names><Name><Name6>SEA GLORY</Name6><NameType>Primary Name</NameType></Name></Names>
<ShipDetails><Ship><IMONumbers><IMONumber>9187629</IMONumber></IMONumbers></Ship></ShipDetails></Designation></Designations>"""

UK_CSV = (
    "Report Date: 10-Sep-2026\nLast Updated,Unique ID,OFSI Group ID,UN Reference Number,Name 6,Name 1,Name 2,Name 3,Name 4,Name 5,"
    "Name type,Alias strength,Title,Name non-latin script,Regime Name,Designation Type,Sanctions Imposed,Address Line 1,"
    "Address Country,D.O.B,Nationality(/ies),Passport number,Gender,Date Designated\n"
    "10/09/2026,AFG0006,7100,TAi.002,AKHUND,MOHAMMAD,HASSAN,,,,Primary Name,,,محمد حسن آخوند,Afghanistan,Individual,"
    "Asset freeze|Travel Ban,Kabul,Afghanistan,dd/mm/1945,Afghanistan,P04581926,Male,25/01/2001\n"
    "10/09/2026,AFG0006,7100,,WALI,MOHAMMAD,,,,,Alias,Low quality,,,Afghanistan,Individual,,,,dd/03/1946,,,,\n"
)
OFSI_CSV = (
    "Last Updated,27/01/2026\nName 6,Name 1,Name 2,Name 3,Name 4,Name 5,Title,Name Non-Latin Script,DOB,Nationality,"
    "Passport Number,Address 1,Country,Other Information,Group Type,Alias Type,Alias Quality,Regime,Listed On,Group ID\n"
    "AKHUND,MOHAMMAD,HASSAN,,,,Mullah,محمد حسن آخوند,00/00/1945,Afghanistan,P04581926,Kabul,Afghanistan,,Individual,"
    "Primary name,,Afghanistan,25/01/2001,7100\nWALI,MOHAMMAD,,,,,,,00/03/1946,,,,,,Individual,AKA,Low,Afghanistan,,7100\n"
)

SWISS = """<?xml version="1.0"?><swiss-sanctions-list list-type="whole-list" date="2026-06-02">
<sanctions-program ssid="20"><program-key lang="eng">Belarus</program-key>
<sanctions-set ssid="4387" lang="eng">annex 13</sanctions-set>
</sanctions-program>
<target ssid="100"><sanctions-set-id>4387</sanctions-set-id>
<individual sex="male"><identity ssid="1" main="true"><name name-type="primary-name">
<name-part order="1" name-part-type="family-name"><value>Lukashenka</value>
<spelling-variant script="LATN">Lukashenko</spelling-variant>
<spelling-variant script="CYRL">ЛУКАШЕНКО</spelling-variant></name-part>
<name-part order="2" name-part-type="given-name"><value>Aliaksandr</value>
<spelling-variant script="CYRL">Александр</spelling-variant>
</name-part></name><day-month-year day="30" month="8" year="1954"/>
<nationality><country iso-code="BY">Belarus</country></nationality><address place-id="7">
<address-details>Karl Marx 38</address-details>
</address><identification-document document-type="passport"><number>MP1234567</number><issuer>Belarus</issuer>
</identification-document>
</identity><justification>President.</justification></individual>
<modification modification-type="listed" effective-date="2012-03-16"/></target>
<target ssid="101"><individual><identity main="true"><name name-type="primary-name"><name-part order="1"><value>Gone</value>
</name-part>
</name></identity></individual><modification modification-type="listed" effective-date="2010-01-01"/>
<modification modification-type="de-listed" effective-date="2016-03-01"/></target>
<place ssid="7"><location>Minsk</location><country iso-code="BY">Belarus</country></place></swiss-sanctions-list>"""


AFGHAN = ["Afghanistan", "TAi.002"]


def ftm(id_, schema, **properties):
    return json.dumps({"id": id_, "schema": schema, "properties": properties}, ensure_ascii=False)


FTM = "\n".join(
    [
        ftm("s1", "Sanction", entity=["p1"], programId=["EU-BLR"], listingDate=["2012-03-16"]),
        ftm(
            "p1",
            "Person",
            name=["Aliaksandr Lukashenka"],
            alias=["Александр Лукашенко"],
            weakAlias=["Batka"],
            gender=["male"],
            birthDate=["1954-08", "1954-08-30"],
            nationality=["by"],
            topics=["sanction", "role.pep"],
            addressEntity=["a1"],
        ),
        ftm("i1", "Passport", holder=["p1"], number=["MP1234567"], country=["by"]),
        ftm("a1", "Address", full=["Karl Marx 38, Minsk"], country=["by"]),
        ftm("p2", "Person", name=["Somebody's Cousin"]),
        ftm("v1", "Vessel", name=["Sea Glory"], imoNumber=["IMO9187629"], topics=["sanction"]),
        ftm("c1", "CryptoWallet", publicKey=["bc1"]),
    ]
)


def read(tmp_path, source, name, content):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    items = list(SOURCES[source].format.parse(path))
    return (
        [item for item in items if not isinstance(item, LeftOut)],
        [i.reason for i in items if isinstance(i, LeftOut)],
        path,
    )


@pytest.mark.parametrize(
    ("source", "name", "content", "expected"),
    [
        (
            "ofac-sdn",
            "sdn.xml",
            OFAC_XML,
            ("7001", "Juan PÉREZ", ["1955", "1959"], ["CO"], "m", ["passport AB123456 CO"], ["SDNT"]),
        ),
        (
            "ofac-sdn",
            "SDN_ADVANCED.XML",
            OFAC_ADVANCED,
            ("27307", "Ali MOHAMMADI", ["1960"], ["IR"], "m", ["passport K1234567 IR"], ["NPWMD"]),
        ),
        (
            "eu-fsf",
            "list.xml",
            EU_FSF,
            (
                "EU.77.33",
                "Tarek Mikhail Aziz",
                ["1936", "1936", "1930"],
                ["IQ"],
                "m",
                ["passport A1234567 IQ"],
                ["IRQ"],
            ),
        ),
        (
            "uk",
            "list.xml",
            UK_XML,
            ("AFG0006", "MOHAMMAD HASSAN AKHUND", ["1945", "1946"], ["AF"], "m", ["passport P04581926"], AFGHAN),
        ),
        (
            "uk",
            "list.csv",
            UK_CSV,
            ("AFG0006", "MOHAMMAD HASSAN AKHUND", ["1945", "1946"], ["AF"], "m", ["passport P04581926"], AFGHAN),
        ),
        (
            "uk-ofsi",
            "ConList.csv",
            OFSI_CSV,
            ("7100", "MOHAMMAD HASSAN AKHUND", ["1945", "1946"], ["AF"], "", ["passport P04581926"], ["Afghanistan"]),
        ),
        (
            "swiss",
            "list.xml",
            SWISS,
            ("100", "Aliaksandr Lukashenka", ["1954"], ["BY"], "m", ["passport MP1234567 BY"], ["Belarus"]),
        ),
        (
            "opensanctions-sanctions",
            "entities.ftm.json",
            FTM,
            ("p1", "Aliaksandr Lukashenka", ["1954", "1954"], ["BY"], "m", ["passport MP1234567 BY"], ["EU-BLR"]),
        ),
    ],
)
def test_a_person_arrives_with_all_that_the_publisher_says(tmp_path, source, name, content, expected):
    (person, *_others), _left, _path = read(tmp_path, source, name, content)
    numbers = [" ".join(filter(None, (n.kind, n.value, n.country))) for n in person.identifiers]
    births = [str(birth.first.year) for birth in person.births]
    assert person.kind == "person"
    assert (
        person.external_id,
        person.primary_name,
        births,
        person.countries,
        person.gender,
        numbers,
        person.programs,
    ) == expected
    assert sum(name.is_weak for name in person.names) == (0 if source == "swiss" else 1)
    assert (source.startswith("ofac")) or any(name.kind == "original" for name in person.names)
    assert person.addresses


def test_ships_restrictions_and_what_is_left_out(tmp_path):
    entries, _left, path = read(tmp_path, "ofac-sdn", "sdn.xml", OFAC_XML)
    assert (entries[1].kind, entries[1].identifiers[0].kind) == ("vessel", "imo")
    assert SOURCES["ofac-sdn"].format.date_of(path).isoformat() == "2026-09-10"
    _entries, _left, path = read(tmp_path, "ofac-sdn", "sdn_advanced.xml", OFAC_ADVANCED)
    assert SOURCES["ofac-sdn"].format.date_of(path).isoformat() == "2026-05-21"
    entries, _left, _path = read(tmp_path, "uk", "list.xml", UK_XML)
    assert [entry.topics for entry in entries] == [["sanction"], ["restriction"]]
    entries, left, _path = read(tmp_path, "swiss", "list.xml", SWISS)
    assert left == ["Removed from the list"]
    assert {name.text for name in entries[0].names} >= {"Aliaksandr Lukashenko", "Александр ЛУКАШЕНКО"}
    entries, left, _path = read(tmp_path, "opensanctions-peps", "ftm.json", FTM)
    assert entries[0].topics == ["sanction", "pep"] and entries[1].kind == "vessel"
    assert left == ["Linked party without a topic", "Schema CryptoWallet"]
    assert read(tmp_path, "eu-fsf", "list.xml", EU_FSF)[1] == ["Without a name"]


@pytest.mark.parametrize("source", ["ofac-sdn", "eu-fsf", "uk", "swiss", "un", "canada-sema", "opensanctions-crime"])
def test_another_publishers_file_is_refused(tmp_path, source):
    for other, content in (("eu-fsf", EU_FSF), ("uk", UK_XML), ("swiss", SWISS), ("ofac-sdn", OFAC_XML)):
        if other != source:
            with pytest.raises(BrokenFile, match=r"is not|not JSON|not a FollowTheMoney"):
                read(tmp_path, source, "list.xml", content)


def test_json_that_breaks_off_or_says_something_else_is_refused(tmp_path):
    for content, match in (
        (FTM[:-20], "line 7: not JSON"),
        ('{"id": 1}', "not a FollowTheMoney"),
        ("[" * 5000, "not JSON"),
    ):
        with pytest.raises(BrokenFile, match=match):
            read(tmp_path, "opensanctions-crime", "ftm.json", content)


@pytest.mark.django_db
def test_acts_of_the_journal_come_together_as_a_zip(tmp_path):
    header = "celex,annex,recordId,schema,name,alias,birthDate,measure,nationality,passportNumber\n"
    path = tmp_path / "acts.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(
            "a/32014R0269.csv",
            f"{header}32014R0269,I,1,Person,Anna Kern,,(a) 3.3.1965; (b) 1955,Asset freeze,Russian,75N1234567\n",
        )
        packed.writestr("a/32014R0833.csv", f"{header}32014R0833,IV,1,LegalEntity,Kern Works,,,Export control,,\n")
        packed.writestr("a/32006R0305.csv", header)
    version = import_watchlist(source="eu-journal", path=path, actor=None)
    assert (version.entry_count, version.left_out) == (2, {"Nobody listed in 32006R0305": 1})
    person, firm = ListEntry.objects.order_by("pk")
    assert person.identifiers == [{"kind": "passport", "value": "75N1234567", "country": ""}]
    assert (person.countries, len(person.births), person.topics, firm.topics) == (
        ["RU"],
        2,
        ["sanction"],
        ["restriction"],
    )
    with pytest.raises(BrokenFile, match="not a ZIP"):
        list(SOURCES["eu-journal"].format.parse(_broken(path)))


def _broken(path):
    path.write_bytes(path.read_bytes()[:-40])
    return path
