"""Passwords that are tried first: a well-known word, name or run of keys, however it is decorated.

Not a list of passwords but of what they are made of, since nearly all that lists of leaked ones begin with are one or
two of these with a year, a few digits or a sign at an end, or with 0 for o and @ for a. What nobody can guess stays
allowed whatever it consists of: there is no rule about kinds of characters.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Final

MAX_PARTS: Final = 2
"""Of so many well-known words in a row a password is guessable; more of them are a pass phrase."""

MIN_CONTEXT_CHARACTERS: Final = 2
MIN_WORD_CHARACTERS: Final = 3
MIN_NAME_CHARACTERS: Final = 5
"""A shorter name in Latin letters makes a password guessable alone, and not as a part of one: it stands in many."""

PRODUCT: Final = ("huitouke", "回头客", "wecom", "wechat", "weixin", "qiyeweixin", "企业微信", "微信")
"""What everybody thinks of who sets a password here; the shop's name and the person's own come to these."""

_WORDS: Final = """
password passwort passwd parola contrasena motdepasse pass word admin administrator root user guest test tester
testing login logon welcome letmein master default changeme change secret private secure security access enter open
opensesame server system manager service support office company computer internet windows microsoft apple google
samsung nokia android iphone huawei xiaomi baidu taobao alibaba tencent alipay facebook twitter linkedin yahoo hotmail
gmail qqqq hello world love lover loveme loveyou iloveyou iloveu ilove you me my mine baby babe babygirl babyboy honey
sweet sweety sweetheart darling angel angels princess prince queen king kings lady girl boy man woman kitty kitten
pussy pussycat dragon monkey tiger lion bear wolf eagle falcon hawk shark horse horses panther jaguar puma cobra snake
spider scorpion phoenix unicorn dolphin dolphins butterfly chicken turtle rabbit bunny mouse mickey minnie donald
snoopy garfield pooh superman batman spiderman ironman catwoman wolverine hulk thor naruto goku pokemon pikachu
digimon starwars startrek skywalker vader jedi yoda matrix gandalf hobbit lordoftherings harrypotter hogwarts potter
merlin terminator predator football soccer baseball basketball hockey tennis golf golfer rugby cricket boxing
wrestling swimming running fishing hunter hunting rangers yankees lakers cowboys steelers eagles redskins raiders
packers dodgers giants broncos dallas chelsea arsenal liverpool barcelona realmadrid juventus manchester united
ronaldo messi kobe jordan beckham zidane summer winter spring autumn sunshine sunflower sunday monday tuesday
wednesday thursday friday saturday january february march april may june july august september october november
december morning night moon moonlight star stars sun sunny flower flowers rose lily jasmine daisy cherry orange banana
peach lemon strawberry cookie cookies chocolate candy coffee pepper peanut sugar ginger cheese pizza bacon butter
honeybee mustang corvette ferrari porsche mercedes camaro chevy ford honda yamaha suzuki harley davidson toyota nissan
subaru audi bmw volvo jeep truck turbo racing racer diamond gold golden silver crystal platinum purple yellow green
black white blue red pink rainbow midnight shadow thunder lightning storm fire firebird water ocean mountain forest
freedom liberty justice trustno trust nothing something anything whatever whatthe forever always never together
destiny heaven hell hellyeah devil satan lucifer jesus jesuschrist christ god godisgood blessed faith hope grace peace
spirit family friend friends friendship mother father mommy daddy mummy brother sister children happy smile smiley
lucky lovely beautiful pretty sexy hotstuff michael michelle jennifer jessica ashley amanda daniel andrew joshua
matthew christopher anthony william robert richard thomas charles charlie george edward james john johnny justin
brandon nicholas nicole stephanie samantha elizabeth melissa danielle rebecca rachel victoria veronica patricia
barbara maria martin marina alexander alexandra alexis alex benjamin jonathan steven stephen patrick vincent victor
oscar oliver maggie molly sophie bailey buster rocky rusty sparky tigger tiggers max sammy samson sandra sarah laura
linda lisa louise natalie natasha austin dennis dakota jackson jasper jeremy joseph kevin larry leonard lauren morgan
murphy peter phillip raymond robin roger ronald russell scott scooter sebastian shannon sierra simon stella steve
tyler taylor travis trinity vanessa virginia walter zachary andrea angela angelina antonio carlos carolina claudia
cristina david diego eduardo fernando francisco gabriel guillermo hector isabel javier jose juan julia leonardo lorena
lucia luis manuel marco mario martha miguel monica pablo paola pedro rafael ricardo rodrigo rosario sergio valentina
computer1 ninja samurai killer assassin warrior fighter soldier sniper marine army navy airforce pilot captain player
gamer games gaming minecraft roblox fortnite counter strike warcraft starcraft diablo blizzard nintendo playstation
xbox zelda sonic tetris metallica nirvana slipknot eminem beatles elvis madonna rockstar rocknroll guitar music musica
piano drummer hiphop rapper dancer dancing singer abcd abcde abcdef abcdefg abcdefgh abcdefghi abc xyz qwer qwert
qwerty qwertyu qwertyui qwertyuio qwertyuiop asdf asdfg asdfgh asdfghj asdfghjk asdfghjkl zxcv zxcvb zxcvbn zxcvbnm
qaz wsx edc rfv tgb qazwsx qazwsxedc wsxedc qweasd qweasdzxc asdzxc poiuytrewq lkjhgfdsa mnbvcxz azerty azertyuiop
qwertz qwertzuiop dvorak yuiop hjkl hjklm jkl fghj zaq xsw cde zaqxsw zaqwsx qwe asd zxc ewq dsa cxz aaaa bbbb cccc
dddd eeee ffff zzzz xxxx qqq www aaa bbb ccc sss ddd xxx zzz asdasd qweqwe zxczxc abcabc woaini woaiwo woaiwojia
woaiyou wo ai ni aini nihao nihaoma zhongguo china beijing shanghai guangzhou shenzhen hangzhou chengdu wuhan nanjing
tianjin chongqing xian suzhou dalian qingdao xiamen hongkong taiwan xiaoming xiaohong xiaoxiao xiaolong xiaobao xiaoyu
xiaofeng xiaodan xiaojun baobao baobei laopo laogong mama baba jiejie meimei gege didi nainai yeye pengyou tongxue
laoshi shifu dashabi shabi caonima nimabi wobuzhidao buzhidao suibian mima denglu guanliyuan yonghu ceshi shiyan kefu
dianpu xiaodian shangdian shangcheng gongsi laoban dianzhang yuangong caiwu xiaoshou shichang gongxifacai facai fafafa
xingfu kuaile jiankang pingan wangwei wangjing wangfang wanglei wanghao wangyan wangqiang zhangwei zhangjing zhanglei
zhangyan zhangli zhangmin zhangjie liwei lina lijing lihua liming liyan liqiang liujing liuyang liuwei liuyan chenjing
chenwei chenchen yangyang yangyan zhaowei zhoujie zhoujielun huangwei wuyan xuwei sunwei mayun mahuateng linxi linlin
longlong tiantian feifei lele lili dandan yuanyuan jingjing wenwen huihui qianqian wang zhang chen yang zhao huang
zhou liu zhu gao lin guo luo zheng liang xie song tang deng han feng cao peng zeng xiao tian dong pan yuan cai jiang
jun wei ming hong ling jing fang ping qiang hao hua hui jia jie kai lei min ning qing rui tao wen xin yan ying yong
yue yun zhi january1 pokerface superstar cinderella tinkerbell peanutbutter chocolate1 southpark simpson simpsons
homer bart thunderbird firefly blackbird bluebird bigboy bigdog bigdaddy badboy badgirl crazy stupid asshole bitch
bastard bullshit fuck fucker fucking fuckyou fuckme fuckoff shit suckit blowme sexsex pornstar playboy hustler viagra
penis boobs tits london paris newyork york america american canada mexico brasil france germany deutschland england
scotland ireland australia india russia moscow texas florida california chicago boston denver orlando vegas lasvegas
hollywood elephant kangaroo pineapple watermelon blueberry raspberry cupcake marshmallow skittles cocacola pepsi
guinness heineken corona budweiser whiskey vodka tequila student teacher school college university doctor nurse lawyer
engineer police sunset sunrise paradise island pirate treasure magic magical wizard witch vampire zombie ghost monster
alien aliens galaxy universe planet saturn jupiter apollo athena zeus hercules titan titanic odyssey legend legacy
victory winner champion champions number one two three four five six seven eight nine zero twelve maverick hardcore
butthead hooters metallic rush williams hack airborne explorer explore christine brooklyn redwings michigan einstein
snowball snow ball kimberly colorado creative bollocks darkness dark lacrosse maryjane mary jane spitfire spit
anderson cherokee marshall caroline franklin snickers courtney westside west east north south side semper softball
wildcats wild remember free mistress peekaboo budlight electric stargate gate brittany swordfish sword fish passport
port bulldog bulldogs chevelle mitchell patriots patriot cardinal kawasaki airplane plane scarface face wolfpack pack
lawrence stingray srinivas sting ray panthers heels wolfgang pakistan infinity billybob billy bob zeppelin wrangler
fett business sterling babydoll doll cheyenne longhorn presario triumph enterprise harrison harris cadillac lonewolf
lone precious valentine wet morpheus goldberg wrinkle consumer serenity birthday highland seminole buckeye buckeyes
goldfish icecream ice cream pleasure cavalier aardvark babylon savannah concrete shamrock atlantis marathon kathleen
diamonds stallion sundance dance renegade stocking sweetpea pea campbell geronimo chandler trombone mongoose tottenham
infantry raistlin vanhalen sherlock holmes diet coke ultimate superfly super fly drpepper lesbian lesbians morrison
stone cold logitech memphis stardust dust charlotte margaret waterloo standard hannibal frontier spanking japan
japanese bubbles bubba barney boomer booboo casper chester cooper copper daytona dexter dillon dudley duncan eclipse
emerald enigma express fender fantasy felix flash fluffy fisher freddy gemini genesis gibson gizmo grizzly griffin
hammer hammers hannah heather helpme hendrix hotdog hotrod iceman indian indiana jackass jester joker junior katana
kermit knight knights leslie lincoln lizard logan lonely madison maddog marcus marlboro marley marvin maxwell melvin
mercury miller million montana monopoly morris muffin nascar nelson nemesis newton norman oakland omega outlaw paladin
pamela pandora parker passion peaches pebbles penguin phantom philips pickle picard pookie popeye popcorn power powers
pumpkin python raider rascal raven ravens rebel reddog redneck redsox rocket rockets rockon rooster roxy runner
sabrina sailor saints salmon sandman scarlet scooby shelby sheriff shorty silence skater skippy slayer smith smokey
smooth snapple speedy spencer spike squirt stanley stewart stinky strange street sucker sullivan surfer sydney target
tarzan tattoo taurus teddy thumper tiffany tinker tomcat tommy topgun tornado toronto trouble trooper tucker tweety
viking vikings viper vision voodoo voyager walker wanker warlock webster weasel whisky whitney wilson winston wombat
woody wrestle xavier yankee zipper alaska alfred alicia allison amber amelia anakin annie ariana arizona arnold arthur
astrid bambi beaver becky bella berlin bernard bianca blake bonnie bradley brenda brian brooke bruce calvin camille
cameron camilla carmen casey cassie cecilia celine chloe chrissy cindy claire colin connor cristian cynthia dalton
darren debbie denise diana donna douglas dustin dylan eleanor elena elijah emily emma erica ethan eugene evelyn fiona
frank freddie gemma georgia gerald gilbert gloria gordon grant gregory hailey harry helena henry howard isaac isabella
ivan jackie jacob jaime janet jared jasmin jason jeanette jeffrey jenny jerome jesse jimmy joanna joel juliet julian
karen katie katrina keith kelly kenneth kristen kyle leah leon lewis liam lucas lydia madeline marcel margarita marie
marilyn mason maureen maurice megan mike mikhail nathan neil noah olivia owen paul paula penelope philip phoebe
quentin ralph regina renee rodney roman rosemary ruby ruth ryan sally samuel sean sharon shawn sheila shirley sidney
silvia sofia stacey stuart susan suzanne sylvia tamara tanya teresa timothy todd tony tracy valerie vera vivian warren
wayne wendy wesley yvonne zoe blink rockyou
"""
"""Written down for this purpose: words, names, teams, runs of keys, pinyin."""

_DECORATION: Final = "0123456789!@#$%^&*()-_=+.,;:?/|~`'\"<>[]{} 。，！？、·"
_AS_LETTERS: Final = (str.maketrans("0134578@$!", "oieastbasi"), str.maketrans("0134578@$!|", "oleastbasll"))
"""Two readings: a 1 or a ! stands for i as well as for l."""

_WHOLE: Final = """
1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4 q1w2e3r4t5 a1s2d3f4 z1x2c3v4 1qaz2wsx 1qaz2wsx3edc 2wsx3edc qaz123wsx
1a2b3c4d a1b2c3d4 a1b2c3d4e5 1234qwer 123qweasd 123qwe123 qwe123qwe 1qazxsw2 zaq12wsx zaq1xsw2 zaq1zaq1 1qaz1qaz
147258369 147852369 159357456 159753456 741852963 789456123 963852741 987456321 13141314 52013145 5201314520
1314520520 woaini1314 woaini520 20100728 trustno1 letmein1 p0o9i8u7 asd123asd abc123abc a123b456 110110110 119119119
168168168 10203040 102030405 11235813 31415926 27182818 1029384756 0192837465
"""
"""Walks over the keys and figures that no rule below finds."""
_DATE: Final = re.compile(
    r"(?:(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d"
    r"|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:19|20)\d\d)"
)
_BLOCKS: Final = re.compile(r"(.{1,4}?)\1+")
_FAMOUS_DIGITS: Final = (
    "520",
    "521",
    "1314",
    "5201314",
    "7758521",
    "7758258",
    "168",
    "888",
    "666",
    "110",
    "007",
    "147",
)


def is_guessable(password: str, near: Iterable[str] = ()) -> bool:
    """Whether the password is tried first. `near` are words that belong to the person or the shop."""
    text = password.lower()
    if len(set(text)) < 3 or text in _whole():
        return True
    context = _context(near)
    readings = {text.strip(_DECORATION), *(text.translate(letters).strip(_DECORATION) for letters in _AS_LETTERS)}
    readings |= {text.strip(_DECORATION).translate(letters) for letters in _AS_LETTERS}
    readings |= {re.sub(r"[\W_]+", "", reading) for reading in readings}
    core = text.strip(_DECORATION)
    if len(core) <= MIN_CONTEXT_CHARACTERS and core not in context:
        digits = "".join(c for c in text if c.isdigit())
        return len(digits) >= len(text) - 3 and _is_run(digits)
    return any(_is_made_of(reading, context) for reading in readings if reading)


def _context(near: Iterable[str]) -> frozenset[str]:
    """The words, and the parts that they consist of."""
    found = set(PRODUCT)
    for phrase in near:
        found |= {phrase.lower().strip(), *re.split(r"[\W_]+", phrase.lower())}
        found.add(re.sub(r"[\W_]+", "", phrase.lower()))
    return frozenset(word for word in found if len(word) >= MIN_CONTEXT_CHARACTERS and not word.isdigit())


def _is_made_of(text: str, context: Collection[str]) -> bool:
    """Whether it is one or two well-known words, the same ones again, or one of them backwards."""
    words = _words()

    def known(part: str) -> bool:
        if part in context:
            return part == text or len(part) >= MIN_NAME_CHARACTERS or not part.isascii()
        return len(part) >= MIN_WORD_CHARACTERS and part in words

    if text in _cut_off():
        return True

    if known(text) or known(text[::-1]):
        return True
    block = _BLOCKS.fullmatch(text)
    if block is not None:
        return True
    fewest = [0] + [MAX_PARTS + 1] * len(text)
    for end in range(1, len(text) + 1):
        fewest[end] = min(
            (fewest[start] + 1 for start in range(end) if fewest[start] < MAX_PARTS and known(text[start:end])),
            default=MAX_PARTS + 1,
        )
    return fewest[-1] <= MAX_PARTS


def _is_run(digits: str) -> bool:
    """Digits that count up or down, come in blocks, are a day, or mean something to everybody."""
    if len(digits) < 4 or _DATE.fullmatch(digits):
        return True
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    if len(steps) == 1 or _BLOCKS.fullmatch(digits) or _BLOCKS.fullmatch(digits[:-1]):
        return True
    rest = digits
    for famous in sorted(_FAMOUS_DIGITS, key=len, reverse=True):
        rest = rest.replace(famous, "")
    runs = re.sub(
        r"(?:0?123456789?0?|12345678?|1234567?|123456|12345|1234|123|987654321|87654321|654321|54321|321)", "", rest
    )
    pairs = re.fullmatch(r"(?:(\d)\1)+", digits) is not None or re.fullmatch(r"(?:(\d)\1\1)+", digits) is not None
    return pairs or len(runs) <= 1 or len(runs) * 4 <= len(digits)


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    return frozenset(_WORDS.split())


@lru_cache(maxsize=1)
def _cut_off() -> frozenset[str]:
    """Old systems kept eight characters, and what was cut off there lives on in the lists."""
    return frozenset(word[:8] for word in _words() if len(word) > 8)


@lru_cache(maxsize=1)
def _whole() -> frozenset[str]:
    return frozenset(_WHOLE.split())
