"""Words of the trade in other languages, as they are romanised: what a firm's name says in one language it says in another."""

from __future__ import annotations

import re
from functools import lru_cache

# canonical word: stems of Russian, Ukrainian, Belarusian and Serbian words, without their endings.
SLAVIC_STEMS = """
automated avtomatizirovann automatyzavan
central tsentraln centraln tsentralnoi
commercial kommerchesk komertsiin kamertsyin
technology tekhnologi tehnologi tekhnologij
bank bankovsk bankivsk
industry promyshlenn promislov pramyslov industri indastri
united obedinenn obiedinenn obyedinenn ob'edinenn
state gosudarstvenn derzhavn dziarzhaun
national natsionaln nacionaln natsyianaln
private chastn
sea morsk
port port
trade torgov torgovl torhov handlov treding
finance finansov finansav
science nauchn
research issledovatelsk
electromechanical elektromekhanichesk elektromehanichesk
mechanical mekhanichesk mehanichesk
complex kompleks
system sistem
security bezopasnost
federation federatsi federaci
federal federaln
republic respublik rispublik
defence oboron oboronn
economic ekonomichesk
foreign vneshn inostrann
court sud
district raionn rayonn
city gorod gorodsk
university universitet
academy akademi
institute institut instytut
ministry ministerstv ministerstvo
administration administratsi
committee komitet kamitet
service sluzhb servis
union soiuz soyuz sayuz
association assotsiatsi asotsiatsi
corporation korporatsi karparatsy
engineering mashinostroiteln mashynabudaun mashinostroeni inzhenern
building stroiteln stroitelstv budivelni
shipbuilding sudostroiteln sudostroeni
shipyard verf
aircraft aviatsionn samoletostroi
space kosmichesk
nuclear iadern yadern atomn
power energetichesk energeticesk
electric elektrichesk
chemical khimichesk himichesk
petrochemical neftekhimichesk
oil neft neftian neftyan naftav
refinery neftepererabatyvaiushch neftepererabatyvayushch
gas gazov
coal ugoln
steel stal staln
metallurgical metallurgichesk metalurgiin
transport transportn
railway zheleznodorozhn
airport aeroport aeraport
insurance strakhov
pension pensionn
development razviti rozvitku
investment investitsionn investits
management upravliaiushch upravlyayushch upravleni
shop magazin
house dom
center tsentr centr tsentar
fund fond fand
plant zavod
factory fabrik
group grupp hrup
company kompani kampani
design konstruktorsk proektn
bureau biuro byuro
scientific nauchno
special spetsialn specialn
television televizionn telekanal
radio radio
school shkol
money deneg dengi
african afrikansk
corps korpus
russian rossiisk rossiysk russk
ukrainian ukrainsk ukrainsk
belarusian belorussk belarusk bielarusk
moscow moskovsk moskva moskvy
petersburg peterburgsk
crimea krym krymsk
white bel
"""
ENDINGS = (
    "yi iy yy y i ii ij oi oy ei ey aya aia a ia ya oe oye ye ie iye yye e o yo ikh ykh ih yh ogo oho ego u iu yu om em ami "
    "iami ov ev am im ym yia iie"
)
# canonical word: words of other languages.
WORDS = """
bank banking unhaeng eunhaeng banka banku masraf yinhang ginko
company gongsi hoesa kaisha sirket sirketi
trade muyok muyeok mueok maoyi tijarat tejarat tijara tijariya bazargani ticaret comercio commercio comercial handel shoji
general amma
international kukje gukje guoji beinelmilal duwaliya duwali bineolmelal internacional internazionale internationale uluslararasi
development kaebal gaebal fazhan tosee toseh tanmiya desarrollo developpement sviluppo entwicklung kalkinma
investment tuja touzi estesmar istithmar istithmari sarmayegozari inversion inversiones investissement investissements yatirim
industry sanaye sanayi sinaa sinaat gongye sanop saneop industria industrias industrie
economic gyongje gyeongje kyongje
construction konsol geonseol jianshe construccion construcciones costruzioni bau insaat
group jituan kurup holdingi
shipping haeun haewoon hangyun keshtirani naviera
science kwahak keji kexue
technology kisul gisul jishu teknoloji tecnologia tecnologias technologie fanavari
electronics chonja jeonja dianzi elektronik electronica elettronica
oil naft petrolera shiyou
airlines khotut havapeymaei havapeimai havapeyma huapimaii hangkong hava
foundation bonyad boniad fundacion fondation fondazione stiftung vakif vakfi muassasat muassasa
association jamiat jamiyat jamiyah asociacion associazione dernek dernegi verein
organization sazman
movement harakat haraka harakah
army jaish jaysh
islamic islami islamia islamiya islamiyya islamiyyah islamique islamico
brigade brigada liwa lewa katiba katibat
university daneshgah jamia daxue taehak daehak
fund sunduq sandoq sandogh fondo fonds jijin
insurance bimeh seguros assurance assurances sigorta versicherung
exchange sarafi hawala kambio cambio
establishment anstalt
ministry vezarat wizarat
factory karkhaneh karkhana gongchang fabrica fabrique fabrik fabbrica
center markaz zhongxin centro zentrum merkez merkezi
national melli meli nacional nazionale guojia kukka gukga milli
laboratory lab labs laboratories laboratorio laboratoriya laboratoriia laboratoire
pharmaceutical pharma pharmaceuticals darou daroei farma ilac
chemical chemicals kimya kimia chimique quimica chemie
engineering muhandisi mohandesi ingenieria ingenierie muhendislik
management mgmt
service svcs svc servicios servizi
development dev devt
electronics elec
manufacturing manuf mfrg manufacture manufacturers
transport transportes transporte trasporti tasimacilik nakliyat
general gen
information info
medical med
product prod prods
property prop properties
communication comm comms communications
agricultural agri agro
europe europa
american amer
eastern vostochn
security sec securite seguridad sicurezza guvenlik
consulting consult consultancy consultants
new novyi novyy novye novoe novaya
partner partners
venture ventures
resource resources
supply supplies
material materials
logistics lojistik logistica logistik logistique
tourism turizm turismo tourisme
import ithalat importacion
export ihracat exportacion
"""
# What Han, Kana, Hangul and Arabic letters say of the trade, where a romanisation says nothing.
WRITTEN_AS = """
science technology: 科学技術, 科学技术
technology: 技術, 技术, 科技, 기술
trade: 貿易, 贸易, 商事, 무역, التجارة, للتجارة, التجارية, تجارت, بازرگانی
international: 国際, 國際, 国际, 국제, الدولية, الدولي, بین المللی
group: 集团, 集團, グループ, 그룹, مجموعة, گروه
bank: 銀行, 银行, 은행, بنك, مصرف, بانک
investment: 投資, 投资, 투자, للاستثمار, الاستثمار, سرمایه گذاری
petroleum: 石油
industry: 实业, 實業, 産業, 产业, 工業, 工业, 산업, صنایع, صنعتی, الصناعية, للصناعات
electronics: 電子, 电子, 전자
electric: 電機, 電気, 电气
shipping: 航运, 航運, 海運, 海运, 해운
logistics: 物流
construction: 建設, 建设, 건설
development: 发展, 發展
chemical: 化工, 化学, 화학
machinery: 機械, 机械
energy: 能源, 에너지
holding: 控股, ホールディングス
motor: 自動車, 자동차
automobile: 汽车
securities: 証券, 证券, 증권
insurance: 保険, 保险, 保險, بیمه, للتأمين
pharmaceutical: 製薬, 制药
airlines: 航空, 항공, هواپیمایی
china: 中国, 中國
korea: 朝鮮, 朝鲜, 조선, 한국
hong kong: 香港
beijing: 北京
shanghai: 上海
shenzhen: 深圳
japan: 日本
tokyo: 東京
university: 大学, 大學, 대학교, دانشگاه, جامعة
research institute: 研究所, 研究院
company: 公司
communication: 通信
semiconductor: 半导体, 半導体
steel: 鋼鉄
iron and steel: 钢铁
shipbuilding: 造船
import export: 進出口, 进出口
heavy industry: 중공업
general: العامة
foundation: مؤسسة, بنیاد
association: جمعية
oil: النفط, نفت
national: الوطنية, الوطني, ملی
central: المركزي, مرکزی
engineering: مهندسی, الهندسية
transport: للنقل
brigade: كتيبة, لواء
army: جيش
movement: حركة
islamic: الإسلامية, الإسلامي
arab: العربية
syrian: السورية
syria: سورية, سوريا
iran: إيران, ایران
"""
WRITTEN = {
    word: line.split(":")[0] for line in WRITTEN_AS.strip().splitlines() for word in line.split(": ")[1].split(", ")
}
WRITTEN_WORDS = re.compile("|".join(sorted(map(re.escape, WRITTEN), key=len, reverse=True)))


def _lines(table: str) -> list[tuple[str, list[str]]]:
    return [(line.split()[0], line.split()[1:]) for line in table.strip().splitlines()]


MEANINGS = {word: canonical for canonical, words in _lines(WORDS) for word in words}
MEANINGS |= {
    stem + ending: canonical
    for canonical, stems in _lines(SLAVIC_STEMS)
    for stem in stems
    if len(stem) >= 5
    for ending in ("", *ENDINGS.split())
}


@lru_cache(maxsize=20_000)
def in_english(text: str) -> str:
    """Write the words of the trade in other letters as English ones."""
    return WRITTEN_WORDS.sub(lambda found: f" {WRITTEN[found[0]]} ", text) if not text.isascii() else text
