"""What names have in common beyond their letters: forms of given names, legal forms of firms, readings of Chinese syllables."""

from __future__ import annotations

from functools import cache

from compliance.matching.trade_words import MEANINGS

# Forms of one given name in several languages, and short forms. The first is how we name the group.
GIVEN_NAMES = """
alexander aleksandr alexandre alessandro alejandro aleksander iskander oleksandr aliaksandr sasha alex sanya shura alec
alexandra aleksandra alessandra alejandra oleksandra aliaksandra
alexei aleksei alexey aliaksei oleksii oleksiy alexis
andrew andrei andrey andrii andriy andreas andres andre andrea andrzej andy drew
anthony antonio antoni anton antoine antonin tony toni tonino nino
anastasia nastassia nastya anastasiya stasia
bartholomew bartolomeo bartosz
catherine katherine katharina katarina katarzyna ekaterina yekaterina katsiaryna kateryna caterina catalina kate katya kathy cathy
charles karl carl carlos carlo karel charlie chuck karol karoly
christopher christoph kristof cristobal krzysztof christophe chris kit topher
constantine konstantin konstantinos costantino kanstantsin kostyantyn kostas kostya kosta
daniel danila danylo daniil danil danny dan danya
david dawid davide daoud dawud dave
demetrius dmitri dmitry dimitri dimitrios dzmitry dmytro dima zmitser zmicier mitya
edward eduard eduardo edouard edoardo ed eddie ned teddy
elizabeth elisabeth elizaveta lizaveta yelizaveta elisabetta isabel liz liza betty beth lisa eliza lizzie
emmanuel manuel emanuele immanuel manolo manny
eugene yevgeny evgeny evgenii evgeniy evgenij evgueni jewgeni yauhen yevhen eugen eugenio zhenya gene
francis francisco francesco franz frantisek francois franciszek frank paco pancho kiko
frederick friedrich federico frederic fred fritz freddy freddie federigo
gabriel gavriil gabriele jibril
gennady henadz hennadii genadz gennadi gena
george georg georges giorgio jorge georgy georgii heorhii giorgi yuri yury iurii juri goga jurij
gregory grigory gregor gregorio ryhor hryhoriy hryhorii grzegorz greg grisha
helen helena elena yelena olena alena helene elene
henry heinrich henri enrique enrico henryk harry hank heinz quique kike
igor ihor ihar
irina iryna irene irena ira
ivan john johann johannes jean juan giovanni jan ian yann joao hans ioannis yahya johnny jack vanya giannis juanito
jacob jakob jakub yakov yakub yaqub jaime james jacques giacomo santiago diego jim jimmy jake yasha
jerome hieronymus geronimo
joseph josef jose giuseppe yosef yusuf iosif joszef jozef joe pepe pepito josip jozsef osip
julia yulia yuliya iuliia juliya julie giulia
katya katyusha
lawrence lorenz lorenzo laurent larry lars
leo lev leon
leonid leanid leonidas lyonya
louis ludwig luis luigi lewis ludovic lou
luke lukas lucas luca lukasz luc
margaret margarita margarete marguerite malgorzata maggie peggy margo rita greta maisie meg
mark marcus markus marco marc marek
martha marta marfa
mary maria marie mariya maryam miriam mariam marya masha marusya
matthew matthias mateo matteo mathieu mateusz matvei matviy matt matti matyas
maxim maksim maksym maxime massimo max 
michelle michele michaela
stephanie stefanie stefania
michael mikhail michail michel miguel michele michal mykhailo mikhas mihail mike misha mick mickey mikael mihaly misko
natalia natalya natallia nataliya natasha nata natalie
nicholas nikolai nikolay nikolaus nicolas nicola mikalai mykola niccolo nikolaos nick kolya kolja nikola mikolaj miklos colin
oksana kseniya aksana xenia
oleg aleh oleh
olga volha volga olha
paul pavel pablo paolo pavlo pawel paval pasha
peter petr pyotr piotr pedro pietro pierre petro piatro boutros pete petya petar pieter pekka
philip philipp felipe filip filippo philippe filipp phil
richard ricardo riccardo ryszard dick rick richie rich
robert roberto rupert bob rob bobby robbie bobbie beto
samuel samuil samuele sam sammy
sergei sergey serge sergio siarhei serhii serhiy sergii seryozha serhij
sophia sofia sofiya zofia sophie sonya
stanislav stanislau stanislaw stanislas stas slava
stephen steven stephan stefan esteban stefano etienne stsiapan stepan steve stevie istvan stephane
svetlana sviatlana svitlana sveta lana
tatiana tatyana tatsiana tetiana tetyana tanya tania
theodore teodor fedor fyodor fiodar fedir feodor ted teddy fedya
thomas tomas tommaso tomasz tom foma tommy tamas
timothy timofei timofey tsimafei tymofiy tim
valentina valiantsina
valery valeri valerii valeriy valeryi
vasily basil vasyl vasilii vasil vasili vasya
victor viktor viktar vittorio vitya
vladimir uladzimir volodymyr vladimer wladimir wlodzimierz vova volodya vovka volodimir
vladislav uladzislau vladyslav wladyslaw vlad
vitaly vitali vitalii vital vitaliy vitalik
vyacheslav viachaslau viacheslav vyachaslau slava
william wilhelm guillermo guillaume guglielmo willem bill will willy billy vilmos
yaroslav iaroslav jaroslav yarasla slava
abraham ibrahim avraham ebrahim abe avi
aaron harun haroun
isaac ishaq eshaq isak itzhak yitzhak
ishmael ismail esmaeil ismael esmail
moses musa moussa moshe moises moishe
solomon suleiman sulayman soliman salomon sulaiman shlomo
jesus isa issa eissa
benjamin ben binyamin benny bibi beni benji
kenneth ken kenny
ronald ron ronnie
donald don donny
gerald gerhard gerard gerardo gerry jerry
patrick patricio pat
patricia patrizia pat patty
susan susanna zuzana suzanne sue susie suzy
barbara varvara barbora varya
rebecca rivka becky becca
deborah debora debbie debby
judith yehudit judy
mohammed muhammad mohamed mohammad muhammed mohamad mahomet mehmet mohd muhamad muhamed mohamud md
ahmed ahmad ahmet akhmed akhmad
hussein husain hussain hossein husayn huseyin hosein
hasan hassan hasen
omar umar omer
othman uthman osman usman ousmane
khaled khalid
yasin yassin yaseen
nasser nasir naser
reza riza ridha rida
jafar jaafar djafar cafer
qasim kassem qasem ghasem kasim
mostafa mustafa mustapha
mahmud mahmoud mehmood mahmood
gamal jamal djamal cemal
rashid rashed rachid
said saeed sayeed saied
gaddafi qadhafi khadafy kadafi gadafi qaddafi kadhafi gadhafi
anna hannah hanna ana anne ann
martin martino marton
martina martine
marina
daria dasha
karina
christina kristina cristina christine kristin
christian kristian
alina
polina
diana
larissa larisa
marianna mariana
roman romain
romana
simon semyon semen simeon simone
simona
denis dennis dionisio
anatoly anatoli anatolii
boris borys
kirill kyrylo cyril
ruslan
viktoria victoria viktoriya
veronica veronika
ludmila lyudmila liudmila ljudmila
galina halina halyna
nina
vera viera
inna
jane jeanne joanna johanna
julian julius julio
laura
sara sarah
rosa rose
amin ameen
amina
karim kareem
karima
samir sameer
samira
jamila djamila
salim saleem selim
salma
nabil nabeel
nadia nadiya nadezhda nadzeya nadya
ali
amir ameer emir
amer amr
khalil halil
walid waleed
hamid hameed
hamad hamed
majid majeed
rashida
farid fareed
farida
ignatius ignacio ignazio nacho
raphael rafael raffaele rafa
salvador salvatore sal
rodrigo roderick
leopold leopoldo
cornelius cornelis kees
vincent vicente vincenzo vince
albert alberto
arthur arturo artur
eleanor leonor eleonora
josephine josefina josefa pepa
guadalupe lupe
concepcion concha
rosario charo
arkady arkadi arkadii
evdokia dunya
lydia lidia lidiya
lyubov liubov lyuba luba
rostislav rostyslau
valerian valeriano
hermann herman
"""
LETTERS_OF_FORMS_MIN = 3

FORM_GROUPS: dict[str, set[int]] = {}
for _number, _line in enumerate(GIVEN_NAMES.strip().splitlines()):
    for _name in _line.split():
        FORM_GROUPS.setdefault(_name, set()).add(_number)


def is_form_of(one: str, other: str) -> bool:
    """Say whether two given names are forms of one name."""
    mine, theirs = FORM_GROUPS.get(one), FORM_GROUPS.get(other)
    return bool(mine and theirs and mine & theirs)


# ── firms ──────────────────────────────────────────────────────────────────────────────────────────────────────────
# Spelled-out legal forms as romanised words; longest first when they are looked for. The short form stands for all of them.
LEGAL_FORMS = {
    "llc": """limited liability company|limited liability co|obshchestvo s ogranichennoi otvetstvennostiu|ooo|llc|tov|too|
        obschestvo s ogranichennoy otvetstvennostyu|obshchestvo s ogranichennoy otvetstvennostyu|
        obshchestvo s ogranichennoi otvetstvennost yu|obshchestvo s ogranichennoi otvetstvennostyu|
        tovarystvo z obmezhenoiu vidpovidalnistiu|gesellschaft mit beschrankter haftung|gmbh|mbh|sarl|srl|sprl|ltda|lda|
        sociedad de responsabilidad limitada|societe a responsabilite limitee|spolka z ograniczona odpowiedzialnoscia|
        sp z oo|sp zoo|doo|eood|ood|kft|bv|bvba|ltd|limited|pte ltd|pty ltd|pvt ltd|private limited|pte|pty|pvt|
        limited liability partnership|llp|ltd sti|limited sirketi|sdn bhd|fze|fzco|fz llc|fzc|dmcc|uab|sia|oou|co ltd|
        company limited|co limited|private joint stock|s r o|sro|spol s ro|societatea cu raspundere limitata|
        societate cu raspundere limitata|societa a responsabilita limitata|sociedade limitada|sociedad limitada|
        sociedade por quotas|besloten vennootschap|besloten vennootschap met beperkte aansprakelijkheid|
        spolecnost s rucenim omezenym|spolocnost s rucenim obmedzenym|drustvo s ogranicenom odgovornoscu|
        drustvo sa ogranicenom odgovornoscu|druzba z omejeno odgovornostjo|druzhestvo s ogranichena otgovornost|
        drujestvo s ogranichena otgovornost|korlatolt felelossegu tarsasag|uzdaroji akcine bendrove|
        sabiedriba ar ierobezotu atbildibu|osauhing|limited sirket|limitet sirketi|sendirian berhad|
        tavarystva z abmezhavanai adkaznastsiu|tovarishchestvo s ogranichennoi otvetstvennostiu|shpk|
        zhauapkershiligi shekteuli seriktestik|anpartsselskab|private company limited by shares""",
    "jsc": """joint stock company|joint stock co|open joint stock company|closed joint stock company|public joint stock company|
        private joint stock company|public stock company|aktsionernoe obshchestvo|aktsionernoye obshchestvo|
        otkrytoe aktsionernoe obshchestvo|zakrytoe aktsionernoe obshchestvo|publichnoe aktsionernoe obshchestvo|
        otkrytoye aktsionernoye obshchestvo|zakrytoye aktsionernoye obshchestvo|publichnoye aktsionernoye obshchestvo|
        jsc|ojsc|cjsc|pjsc|oao|zao|pao|ao|aat|oat|zat|pat|ag|aktiengesellschaft|sa|spa|nv|ab|asa|as|a s|oyj|oy|aps|
        public limited company|plc|inc|incorporated|corp|corporation|sae|saog|saoc|psc|pjs|kk|kabushiki kaisha|gk|
        societe anonyme|sociedad anonima|sociedade anonima|societa per azioni|anonim sirketi|anonim sirket|tbk|
        se|societas europaea|rt|nyrt|zrt|ad|dd|societate pe actiuni|societatea pe actiuni|naamloze vennootschap|
        aktiebolag|aktieselskab|aksjeselskap|allmennaksjeselskap|osakeyhtio|julkinen osakeyhtio|akciova spolecnost|
        akciova spolocnost|dionicko drustvo|akcionarsko drustvo|aktsionerno druzhestvo|delniska druzba|
        reszvenytarsasag|zartkoruen mukodo reszvenytarsasag|akciju sabiedriba|akcine bendrove|aktsiaselts|
        spolka akcyjna|sociedad anonima de capital variable|sa de cv|societe par actions simplifiee|sas|
        publichne aktsionerne tovarystvo|pryvatne aktsionerne tovarystvo|aktsionerne tovarystvo|prat|
        adkrytae aktsyianernae tavarystva|zakrytae aktsyianernae tavarystva|perseroan terbatas|
        publicnoe akcionernoe obshchestvo|nepublichnoe aktsionernoe obshchestvo""",
    "state": """federal state unitary enterprise|state unitary enterprise|federalnoe gosudarstvennoe unitarnoe predpriiatie|
        federalnoye gosudarstvennoye unitarnoye predpriyatiye|fgup|gup|fsue|sue|rup|republican unitary enterprise|
        state enterprise|gosudarstvennoe predpriiatie""",
    "co": "company|co|kompaniia|kompaniya|compagnie|compania|cia|sherkat|sharikat|firma|firm|cie",
    "bank": "joint stock commercial bank|jscb|aktsionernyi kommercheskii bank|aktsionerny kommerchesky bank|akb|acb",
    "association": """npo|npk|spa|spc|nauchno proizvodstvennoe obedinenie|nauchno proizvodstvennoe obyedinenie|
        nauchno proizvodstvennaia korporatsiia|nauchno proizvodstvennaya korporatsiya|nauchno proizvodstvennoe predpriiatie|npp|
        research and production association|scientific production association|research and production corporation|
        scientific and production association|proizvodstvennoe obedinenie|proizvodstvennoe obyedinenie|
        production association""",
    "pmc": "private military company|pmc|chvk|chastnaia voennaia kompaniia|chastnaya voennaya kompaniya",
    "nonprofit": """ano|autonomous non profit organization|autonomous nonprofit organization|
        autonomous non commercial organization|avtonomnaia nekommercheskaia organizatsiia|
        avtonomnaya nekommercheskaya organizatsiya""",
    "kg": "kommanditgesellschaft|gmbh co kg|co kg|kg|ohg|gbr|lp|limited partnership|partnership|sca|scs",
}
FORM_PHRASES: dict[tuple[str, ...], str] = {
    tuple(phrase.split()): short
    for short, phrases in LEGAL_FORMS.items()
    for phrase in phrases.split("|")
    if phrase.strip()
}
FORM_WORDS_MAX = max(map(len, FORM_PHRASES))
# Words that many firms' names have; they say little about which firm it is.
TRADE_WORDS = frozenset(
    """
    trading trade trust holding holdings group groupe gruppa international intl industries industry industrial enterprise
    enterprises services service general global development investment investments invest management commercial
    engineering construction import export technology technologies company bank banking foundation organization
    organisation institute center centre association national state research production scientific design bureau plant
    factory works project projects shipping marine maritime transport logistics oil gas petroleum energy aviation
    airlines air systems solutions products co union fund capital finance financial insurance real estate
    """.split()
)
STOP_WORDS = frozenset(
    "the of and for in de la le les des du del der die das und et y i e al el an a fur to pour mv mt ss ms".split()
)
SAME_WORDS = MEANINGS | {
    "sankt": "saint",
    "intl": "international", "int": "international", "burma": "myanmar",
    "bros": "brothers", "mfg": "manufacturing", "mfrs": "manufacturing",
    "eng": "engineering", "engg": "engineering", "tech": "technology", "technologies": "technology", "assoc": "association",
    "assn": "association", "natl": "national", "univ": "university", "dept": "department", "inst": "institute",
    "centre": "center", "organisation": "organization", "org": "organization", "industries": "industry",
    "enterprises": "enterprise", "holdings": "holding", "services": "service", "trading": "trade", "gruppa": "group",
    "groupe": "group", "gruppe": "group", "co": "company", "gov": "government", "govt": "government", "st": "saint",
    "financial": "finance", "investments": "investment",
    "airline": "airlines", "air": "airlines", "avialinii": "airlines", "rossii": "russia", "rossiya": "russia", "rossiia": "russia",
    "systems": "system", "products": "product", "solutions": "solution", "airways": "airlines",
    "banque": "bank", "banco": "bank", "bankas": "bank", "universitat": "university", "universite": "university",
    "inzhiniring": "engineering", "indzhiniring": "engineering", "tekhnologii": "technology", "tekhnologiya": "technology",
    "kholding": "holding", "kholdingz": "holding", "strakhovanie": "insurance", "strakhovaia": "insurance",
    "strakhovaya": "insurance", "pensionnyi": "pension", "pensionny": "pension", "pensionnyy": "pension", "fond": "fund",
    "institut": "institute", "tsentr": "center", "centr": "center", "natsionalnyi": "national", "natsionalny": "national",
    "natsionalnyy": "national", "gosudarstvennyi": "state", "gosudarstvenny": "state", "gosudarstvennyy": "state",
    "rossiiskii": "russian", "rossiyskiy": "russian", "torgovyi": "trade", "torgovyy": "trade", "torgovy": "trade",
    "neftianaia": "oil", "neftyanaya": "oil", "gazovaia": "gas", "gazovaya": "gas", "stroitelnaia": "construction",
    "stroitelnaya": "construction", "transportnaia": "transport", "transportnaya": "transport", "npz": "refinery",
    "mashinostroitelnyi": "engineering", "mashinostroitelny": "engineering", "mashinostroitelnyy": "engineering",
    "schweiz": "switzerland", "suisse": "switzerland", "deutschland": "germany", "osterreich": "austria", "espana": "spain",
    "italia": "italy", "polska": "poland", "ceska": "czech", "turkiye": "turkey", "brasil": "brazil",
    "universitet": "university", "ministerstvo": "ministry", "administratsiia": "administration", "logistika": "logistics",
    "servis": "service", "treiding": "trade", "treyding": "trade", "eksport": "export",
    "aviakompaniia": "airlines", "aviakompaniya": "airlines",
    "zavod": "plant", "factory": "plant", "grupo": "group", "gruppo": "group",
}  # fmt: skip  # a table of pairs

# ── Chinese ────────────────────────────────────────────────────────────────────────────────────────────────────────
# The syllables that there are, by how they begin.
SYLLABLES = {
    "": "a o e ai ei ao ou an en ang eng er",
    "b": "a o ai ei ao an en ang eng i ie iao ian in ing u",
    "p": "a o ai ei ao ou an en ang eng i ie iao ian in ing u",
    "m": "a o e ai ei ao ou an en ang eng i ie iao iu ian in ing u",
    "f": "a o ei ou an en ang eng u",
    "d": "a e ai ei ao ou an en ang eng ong i ie iao iu ian ing u uo ui uan un",
    "t": "a e ai ao ou an ang eng ong i ie iao ian ing u uo ui uan un",
    "n": "a e ai ei ao ou an en ang eng ong i ie iao iu ian in iang ing u uo uan v ve ue",
    "l": "a e ai ei ao ou an ang eng ong i ia ie iao iu ian in iang ing u uo uan un v ve ue",
    "g": "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "k": "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "h": "a e ai ei ao ou an en ang eng ong u ua uo uai ui uan un uang",
    "j": "i ia ie iao iu ian in iang ing iong u ue uan un",
    "q": "i ia ie iao iu ian in iang ing iong u ue uan un",
    "x": "i ia ie iao iu ian in iang ing iong u ue uan un",
    "zh": "a e ai ei ao ou an en ang eng ong i u ua uo uai ui uan un uang",
    "ch": "a e ai ao ou an en ang eng ong i u ua uo uai ui uan un uang",
    "sh": "a e ai ei ao ou an en ang eng i u ua uo uai ui uan un uang",
    "r": "e ao ou an en ang eng ong i u ua uo ui uan un",
    "z": "a e ai ei ao ou an en ang eng ong i u uo ui uan un",
    "c": "a e ai ao ou an en ang eng ong i u uo ui uan un",
    "s": "a e ai ao ou an en ang eng ong i u uo ui uan un",
    "y": "a o e ao ou an ang ong i in ing u ue uan un",
    "w": "a o ai ei an en ang eng u",
}
PINYIN = frozenset(initial + final for initial, finals in SYLLABLES.items() for final in finals.split())
WADE_INITIALS = {
    "ch": ("zh", "ch", "j", "q"),
    "ts": ("z", "c"),
    "tz": ("z", "c"),
    "ss": ("s",),
    "sz": ("s",),
    "hs": ("x",),
    "p": ("b", "p"),
    "t": ("d", "t"),
    "k": ("g", "k"),
    "j": ("r",),
}
WADE_FINALS = {
    "ung": "ong",
    "ien": "ian",
    "ieh": "ie",
    "ueh": "ue",
    "ih": "i",
    "u": "u",
    "eh": "e",
    "erh": "er",
    "ou": "ou",
    "iung": "iong",
    "uei": "ui",
    "o": "uo",
    "ing": "ying",
    "in": "yin",
    "i": "yi",
}
# Family names as they are written in Hong Kong, Taiwan, Singapore and Korea.
FAMILY_NAMES = (
    "li lee lei ri yi rhee i",
    "wang wong",
    "zhang chang cheung teo",
    "chen chan tan chin",
    "liu lau low",
    "huang wong ng",
    "lin lam lim",
    "wu ng goh",
    "zhou chow chou chew",
    "xu hsu tsui hui",
    "zhu chu choo",
    "guo kuo kwok",
    "he ho",
    "luo lo law",
    "liang leung",
    "xie hsieh tse",
    "zheng cheng tay",
    "cai tsai choi chua",
    "deng teng tang",
    "ye yeh yip",
    "jiang chiang keung",
    "cao tsao",
    "gao kao ko",
    "kim gim",
    "park bak pak",
    "choi choe",
    "jeong jung chung jong chong",
    "kang gang",
    "cho jo",
    "yun yoon",
    "jang chang",
    "han hahn",
    "seo suh",
    "shin sin",
    "kwon gwon",
    "un eun",
    "u woo",
    "hyon hyun hyeon",
    "je che",
    "hyok hyeok hyuk",
    "yi ui lee",
    "sok seok suk",
    "jun joon chun",
    "gwang kwang",
    "guk kuk",
    "yong yeong young",
    "chol cheol",
    "song seong sung",
    "im lim rim yim",
    "ryu yu yoo lyu ryoo",
    "no ro noh roh",
    "yom ryom yeom",
    "yang ryang",
)
FAMILY_GROUPS: dict[str, set[int]] = {}
for _number, _line in enumerate(FAMILY_NAMES):
    for _name in _line.split():
        FAMILY_GROUPS.setdefault(_name, set()).add(_number)


def readings(syllable: str) -> set[str]:
    """List what a syllable may be in pinyin, when it is written as Wade and Giles did."""
    found = {syllable} if syllable in PINYIN else set()
    for initial in sorted(WADE_INITIALS, key=len, reverse=True):
        if syllable.startswith(initial):
            rest = syllable[len(initial) :]
            for final in {rest, WADE_FINALS.get(rest, rest)}:
                found |= {start + final for start in WADE_INITIALS[initial] if start + final in PINYIN}
            break
    for old, new in WADE_FINALS.items():
        if syllable.endswith(old) and syllable[: -len(old)] + new in PINYIN:
            found.add(syllable[: -len(old)] + new)
    return found


def is_another_given_name(one: str, other: str) -> bool:
    """Say whether both are given names, and not forms of one: Maria and Marina differ by more than a letter."""
    mine, theirs = FORM_GROUPS.get(one), FORM_GROUPS.get(other)
    return bool(mine and theirs and not mine & theirs)


# ── Korean ─────────────────────────────────────────────────────────────────────────────────────────────────────────
# What the state's romanisation, McCune and Reischauer's without its marks, and passports write of one sound.
KOREAN_ONSETS = {
    letters: sound
    for sound, group in {
        "k": "k g kk",
        "t": "t d tt",
        "p": "p b pp",
        "c": "ch j jj",
        "s": "s sh ss",
        "r": "r l",
    }.items()
    for letters in group.split()
} | {"n": "n", "m": "m", "h": "h", "": ""}
KOREAN_VOWELS = {
    letters: sound
    for sound, group in {
        "a": "a", "ya": "ya", "o": "o eo", "yo": "yo yeo you", "u": "u eu oo woo", "yu": "yu yoo", "i": "i ee", "e": "e ae",
        "ye": "ye yae", "wa": "wa", "wo": "wo weo", "we": "we wae oe", "wi": "wi", "ui": "ui eui",
    }.items()
    for letters in group.split()
}  # fmt: skip  # a table of pairs
KOREAN_CODAS = {coda: coda for coda in ("", "k", "n", "t", "l", "m", "p", "ng")}
KOREAN: dict[str, str] = {}
for _onset, _first in KOREAN_ONSETS.items():
    for _vowel, _middle in KOREAN_VOWELS.items():
        for _coda, _last in KOREAN_CODAS.items():
            KOREAN.setdefault(_onset + _vowel + _coda, f"{_first}.{_middle}.{_last}")


# Two Korean syllables written as one word (Kunhye); shorter ones are also other people's names (Hasan).
TWO_SYLLABLES_MIN = 6


@cache
def is_syllable(word: str) -> bool:
    """Tell a word that may be a Chinese or Korean syllable."""
    is_korean = word in KOREAN or (len(word) >= TWO_SYLLABLES_MIN and bool(korean_readings(word)))
    return word in FAMILY_GROUPS or is_korean or bool(word_readings(word))


@cache
def word_readings(word: str) -> frozenset[str]:
    """List the readings of a word of one or two syllables, Chinese (zedong) and Korean (c.o.k)."""
    found = set(readings(word))
    for place in range(1, len(word)):
        found |= {one + other for one in readings(word[:place]) for other in readings(word[place:])}
    return frozenset(found)


@cache
def korean_readings(word: str) -> frozenset[str]:
    """List the Korean readings of a word of one or two syllables: Jongun and Chongun are one."""
    found = {KOREAN[word]} if word in KOREAN else set()
    for place in range(1, len(word)):
        one, other = KOREAN.get(word[:place]), KOREAN.get(word[place:])
        if one and other:
            found.add(f"{one} {other}")
    return frozenset(found)


@cache
def is_same_reading(one: str, other: str, is_pinyin: tuple[bool, bool] = (False, False)) -> bool:
    """Say whether two syllables, differently romanised, may be one. is_pinyin: a word is known to be, from its character."""
    if any(is_pinyin):
        known, romanised = (one, other) if is_pinyin[0] else (other, one)
        groups = FAMILY_GROUPS.get(romanised, set())
        return known in word_readings(romanised) or any(FAMILY_NAMES[group].split()[0] == known for group in groups)
    mine, theirs = FAMILY_GROUPS.get(one, set()), FAMILY_GROUPS.get(other, set())
    if mine & theirs:
        return True
    # In pinyin both are spelled out: then they are two.
    if one in PINYIN and other in PINYIN and not {one[:2], other[:2]} & {"ch", "ts"}:
        return False
    return bool(word_readings(one) & word_readings(other) or korean_readings(one) & korean_readings(other))
