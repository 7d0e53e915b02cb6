"""Invented people of the demo. Names are put together at will; addresses are in .example, which belongs to nobody."""

from __future__ import annotations

from typing import NamedTuple

from registration.models import Category

# Country, language of their mails, four names: given name first, parted from the family name by a comma.
_NAMES = """
AL en Blerta,Hoxhaj|Ardian,Kelmendi|Elira,Shkurti|Gjergj,Marku
AM ru Анаит,Саркисян|Ваграм,Петросян|Лусине,Акопян|Тигран,Мелконян
AT de Johanna,Ebner|Matthias,Grünwald|Özlem,Yıldız-Huber|Stefan,Kößler
AZ en Aygün,Məmmədova|Rəşad,Quliyev|Leyla,Həsənli|Orxan,Əliyev
BY ru Алеся,Ковалевич|Дмитрий,Захаренко|Наста,Бурак|Павел,Гриневич
BE fr Maëlle,Van den Broeck|Thibault,Lefèvre|Nele,De Smet|Renaud,Delacroix
BA en Amra,Hadžić|Dražen,Ivanković|Selma,Begović|Željko,Mitrović
BG en Радостина,Колева|Стоян,Димитров|Весела,Илиева|Пламен,Тодоров
CA fr Geneviève,Tremblay|Liam,MacAllister|Noémie,Gagnon|Rajan,Sandhu
HR en Ivančica,Šimić|Tomislav,Đurić|Marijana,Vuković|Krešimir,Babić
CY en Eleni,Christodoulou|Andreas,Kyriakou|Despina,Loizou|Marios,Ioannidis
CZ de Eliška,Dvořáčková|Jiří,Říha|Zdeňka,Šťastná|Ondřej,Vaněk
DK en Søren,Kjærgaard|Ida,Østergård|Rasmus,Højlund|Karen,Blixgaard
EE en Õnne,Tamm|Jüri,Põld|Kätlin,Mägi|Tõnu,Kask
FI en Päivi,Mäkelä|Väinö,Hämäläinen|Aino,Öhman|Jyrki,Lehtonen
FR fr Clémence,Aubry|Jean-Loup,Béranger|Soraya,Benhaddou|Étienne,Maçon
GE en ნინო,ბერიძე|Giorgi,Kapanadze|Tamar,Lomidze|Зураб,Кобаидзе
DE de Friederike,Großmann|Jörg,Düsterhöft|Ayşe,Karagöz|Sönke,Petersen
GR en Ελένη,Παπαδάκη|Νίκος,Σταυρίδης|Katerina,Vlachou|Giorgos,Manousakis
VA it Benedetta,Sartori|Luca,Montefiori|Marie-Agnès,Dubreuil|Tadeusz,Wiśnik
HU en Zsófia,Szőke|Gergő,Nemessányi|Ágnes,Török|Bálint,Kővári
IS en Þórunn,Sigurðardóttir|Guðmundur,Eyjólfsson|Ásdís,Jónsdóttir|Örn,Hallgrímsson
IE en Siobhán,Ní Bhriain|Pádraig,Mac Giolla|Aoife,O'Hanlon|Ciarán,Delahunty
IT it Chiara,Bellandi|Niccolò,D'Angelis|Ornella,Fiorucci|Gesualdo,Perù
KZ ru Айгерім,Нұрланова|Ерлан,Сейтқалиев|Динара,Ахметова|Тимур,Жансүгіров
KG ru Айпери,Токтосунова|Бакыт,Усенбеков|Нургүл,Асанова|Эркин,Маматов
LV en Līga,Bērziņa|Jānis,Kalniņš|Elīna,Ozoliņa|Kārlis,Šmits
LT en Rūta,Žukauskaitė|Mindaugas,Čepulis|Eglė,Šalkauskienė|Vytautas,Būtėnas
MT en Marija,Ċaruana|Ġorġ,Żammit|Doreen,Fenech|Karm,Ħili
MD ru Ileana,Ţurcanu|Andrei,Rotaru|Наталья,Чебан|Vasile,Munteanu
MN ru Батцэцэг,Дорж|Энхбаяр,Ганболд|Сарнай,Очир|Төмөр,Баатар
ME en Jelena,Vukčević|Miloš,Đukanaj|Ksenija,Radović|Luka,Perišić
NL en Fenna,van 't Hoff|Bram,de Vries-IJzerman|Noor,el Amrani|Joris,Terpstra
NO en Åse,Bjørnstad|Øystein,Hægeland|Sunniva,Tveit|Håkon,Lødrup
PL en Małgorzata,Źrebiec|Łukasz,Gąsiorek|Żaneta,Święch|Przemysław,Błażej
PT es Conceição,Magalhães|João,Simões|Inês,Araújo|Rúben,Falcão
RO fr Ștefania,Munteanu|Răzvan,Țîrlea|Mădălina,Grigoraș|Ionuț,Bălan
RU ru Екатерина,Щербинина|Артём,Королёв|Юлия,Журавлёва|Михаил,Ёлкин
RS en Јована,Петковић|Немања,Стојановић|Milica,Đorđević|Ђорђе,Живковић
ES es Begoña,Íñiguez|Íker,Muñoz Ordóñez|María José,Peñalver|Andrés,Güell
SE en Åsa,Lindström|Björn,Håkansson|Mehret,Tesfaye|Göran,Sjöqvist
CH fr Aurélie,Zbinden|Urs,Büchi|Fiorenza,Rüegg|Lionel,Chappuis
TR en Şule,Çağlayan|İsmail,Gürsoy|Ayşegül,Öztürk|Doğukan,Işık
UA en Оксана,Ільченко|Богдан,Їжакевич|Соломія,Ґудзь|Тарас,Мельник
UZ ru Дилноза,Ғаниева|Шерзод,Юлдашев|Гулнора,Қодирова|Жасур,Ҳакимов
"""

# Some appear under a name of their choice, for whatever reason; nobody asks for it.
_ALIASES = {17: "Rosa", 58: "A. K.", 101: "Леся", 166: "Participant V."}


class Invented(NamedTuple):
    """One invented person. is_audience: whether the announced audience of side event 1 includes them."""

    given_name: str
    family_name: str
    email: str
    alias: str
    country: str
    language: str
    category: Category
    organisation: str
    function: str
    is_audience: bool


_KINDS = (
    (Category.DELEGATION, "Ministry of Foreign Affairs", "Adviser", "mfa"),
    (Category.DELEGATION, "Ministry of the Interior", "Head of unit", "moi"),
    (Category.EXECUTIVE_STRUCTURE, "OSCE Secretariat", "Programme officer", "secretariat"),
    (Category.DELEGATION, "Permanent Mission to the OSCE", "Second secretary", "mission"),
    (Category.DELEGATION, "National anti-trafficking co-ordinator", "Co-ordinator", "coordinator"),
    (Category.FIELD_OPERATION, "OSCE field operation", "National officer", "field"),
    (Category.CIVIL_SOCIETY, "La Lanterna, an invented NGO", "Case worker", "ngo"),
    (Category.ACADEMIA, "Institute of Invented Studies", "Researcher", "university"),
    (Category.DELEGATION, "Prosecutor General's Office", "Prosecutor", "prosecution"),
)
_AUDIENCE = {Category.DELEGATION, Category.EXECUTIVE_STRUCTURE, Category.FIELD_OPERATION}


def invented_people() -> list[Invented]:
    """180 people from 45 States, always the same."""
    people: list[Invented] = []
    for line in _NAMES.strip().splitlines():
        country, language, names = line.split(" ", 2)
        for name in names.split("|"):
            given, family = name.split(",")
            number = len(people) + 1
            category, organisation, function, domain = _KINDS[number % len(_KINDS)]
            people.append(
                Invented(
                    given_name=given,
                    family_name=family,
                    email=f"guest.{number:03}@{domain}-{country.lower()}.example",
                    alias=_ALIASES.get(number, ""),
                    country=country,
                    language=language,
                    category=category,
                    organisation=organisation,
                    function=function,
                    is_audience=category in _AUDIENCE,
                )
            )
    return people
