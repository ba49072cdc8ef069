package device

import (
	"sort"
	"strings"
)

// word is a mark of a platform or browser engine that a pass notes.
type word uint8

const (
	wordNone word = iota
	wordIPhone
	wordIPad
	wordIPod
	wordIOS
	wordAppleTV
	wordCFNetwork
	wordDarwin
	wordMacintosh
	wordMac
	wordAndroid
	wordLikeAndroid
	wordAndroidTV
	wordTelevision
	wordKindle
	wordSilk
	wordFireTV
	wordRoku
	wordTizen
	wordSamsungTV
	wordWebOSTV
	wordXbox
	wordPlayStation
	wordWindows
	wordWindowsPhone
	wordOther
	wordPhone
	wordEngine
	wordExplorer
	wordTextBrowser
	wordVersion
	wordMobile
	wordSafari
	wordWebView
	wordIOSBrowser
	wordBrowser
	wordCompatible
	wordURL
	wordDomain
	wordFacebookSystem
	wordFacebookDevice
	wordInstagram
	wordCount
)

// platformWords are written as they are found, without case; "<" and ">" ask
// for the edge of a word.
var platformWords = map[word][]string{
	wordIPhone:         {"<iphone", "<iph os"},
	wordIPad:           {"<ipad"},
	wordIPod:           {"<ipod"},
	wordIOS:            {"<ios>", "<ipados>"},
	wordAppleTV:        {"appletv", "<apple tv", "<tvos"},
	wordCFNetwork:      {"cfnetwork"},
	wordDarwin:         {"<darwin/"},
	wordMacintosh:      {"macintosh"},
	wordMac:            {"mac os x", "mac_powerpc", "<macos", "<mac osx", "<mac_"},
	wordAndroid:        {"android", "<adr "},
	wordLikeAndroid:    {"like android"},
	wordAndroidTV:      {"android tv", "androidtv", "google tv", "googletv", "<bravia", "crkey", "<nexus player", "<adt-"},
	wordTelevision:     {"smart-tv", "smarttv", "smart tv", "smart_tv", "hbbtv", "television"},
	wordKindle:         {"kindle fire", "<kfapwi", "cordova-amazon-fireos"},
	wordSilk:           {"<silk/", "<silk-"},
	wordFireTV:         {"<aft", "<fire tv", "<firetv"},
	wordRoku:           {"<roku"},
	wordTizen:          {"<tizen"},
	wordSamsungTV:      {"<maple", "smarthub"},
	wordWebOSTV:        {"<web0s", "<webos.tv", "<webos tv", "netcast", "<webos; linux/smarttv", "<lg browser"},
	wordXbox:           {"<xbox"},
	wordPlayStation:    {"playstation"},
	wordWindows:        {"windows", "<win32", "<win64", "<win9", "<winnt", "<win16", "<win 9x"},
	wordWindowsPhone:   {"windows phone", "windows mobile", "windows ce", "iemobile", "wpdesktop", "windows iot", "windowsphone", "windowsce", "wp7>", "<lumia ", "palmsource"},
	wordOther:          {"linux", "<x11", "<cros", "bsd>", "sunos", "solaris", "<beos", "<haiku", "<os/2", "amiga", "nintendo", "ubuntu", "fedora", "openharmony", "<risc os", "<irix", "hp-ux", "<aix>", "syllable", "morphos", "debian", "gentoo", "fuchsia", "qnx"},
	wordPhone:          {"midp", "cldc", "symbian", "series60", "series40", "<s60", "blackberry", "<bb10", "rim tablet", "<nokia", "sonyericsson", "<sec-", "<mot-", "<lg-", "<lg/", "<samsung", "<alcatel", "<docomo", "<kddi", "<sharp", "<vodafone", "up.browser", "netfront", "<kaios", "meego", "maemo", "<bada", "<webos/", "hpwos", "palmos", "<palm", "profile/", "<j2me", "brew", "obigo", "teleca", "danger hiptop", "<panasonic", "<sagem", "<philips", "<nec-", "<portalmmm", "<softbank", "<j-phone", "semc-browser", "polaris", "dolfin", "jasmine", "mauibrowser", "openwave", "<zte-", "<huawei-", "<mobile; "},
	wordEngine:         {"applewebkit", "gecko", "trident", "presto", "<opera", "khtml", "goanna", "ucweb", "<ucbrowser", "netscape", "servo", "netsurf", "nintendobrowser", "<chrome/"},
	wordExplorer:       {"msie", "konqueror", "<abrowse", "<ibrowse", "<voyager", "<awe", "<opera", "amiga"},
	wordTextBrowser:    {"<elinks", "<links (", "<links/", "<lynx", "<w3m", "<dillo", "<netsurf", "amigavoyager", "amiga-aweb", "ibrowse", "<edbrowse", "<icab", "omniweb", "hotjava", "<emacs", "<ncsa", "<arachne", "<retawq", "<qtweb", "<midori", "<uzbl", "<nook browser", "<wii>", "<itunes", "<amaya", "<avant browser"},
	wordVersion:        {"<version/"},
	wordMobile:         {"<mobile>"},
	wordSafari:         {"<safari/"},
	wordWebView:        {"; wv)", "<webview"},
	wordIOSBrowser:     {"<crios/", "<fxios/", "<edgios/", "<opios/", "<opt/"},
	wordBrowser:        {"<duckduckgo/", "<ddg/", "<focus/", "<brave", "<ucbrowser", "<yabrowser"},
	wordCompatible:     {"(compatible"},
	wordURL:            {"http://", "https://", "<www."},
	wordDomain:         {".com>", ".io>", ".org>", ".net/"},
	wordFacebookSystem: {"fbsv/"},
	wordFacebookDevice: {"fbdv/"},
}

// app is a program that shows web pages inside itself. Its users are people.
type app struct {
	name  string
	marks []string
}

// apps in the order in which they are believed: an agent that shows two of
// them belongs to the first.
var apps = []app{
	{"Messenger", []string{"fban/messenger", "fb_iab/messenger", "fb_iab/orca", "orca-android", "messengerforios", "messengerlite"}},
	{"Threads", []string{"<barcelona "}},
	{"Instagram", []string{"<instagram>"}},
	{"Facebook", []string{"fban/", "fbav/", "fb_iab", "metaiab", "<fb4a", "fbios"}},
	{"TikTok", []string{"musical_ly", "bytedancewebview", "<tiktok", "<trill", "bytelocale", "ultralite"}},
	{"Snapchat", []string{"<snapchat"}},
	{"Pinterest", []string{"[pinterest/", "<pinterest for", "<pinterest/android", "<pinterest/ios"}},
	{"LinkedIn", []string{"linkedinapp"}},
	{"Twitter", []string{"twitter for ", "twitterandroid", "<twitter/"}},
	{"WhatsApp", []string{"<whatsapp"}},
	{"KakaoTalk", []string{"kakaotalk"}},
	{"NAVER", []string{"naver(inapp"}},
	{"Daum", []string{"daumapps"}},
	{"LINE", []string{"<line/"}},
	{"WeChat", []string{"micromessenger"}},
	{"QQ", []string{"<qq/"}},
	{"Weibo", []string{"weibo"}},
	{"Alipay", []string{"alipayclient", "aliapp("}},
	{"Viber", []string{"<viber"}},
	{"Telegram", []string{"telegram-android", "telegram-ios", "<telegram/"}},
	{"Zalo", []string{"<zalo"}},
	{"VK", []string{"vkandroidapp", "<vk/", "com.vk.vkclient"}},
	{"OK", []string{"okapp/", "<odnoklassniki"}},
	{"Reddit", []string{"<reddit/"}},
	{"Discord", []string{"<discord/", "discord-embedded"}},
	{"Slack", []string{"<slack/", "slack_ssb"}},
	{"Teams", []string{"<teams/", "teamsmobile"}},
	{"Tumblr", []string{"<tumblr/"}},
	{"Quora", []string{"<quora "}},
	{"Flipboard", []string{"<flipboard"}},
	{"Baidu", []string{"baiduboxapp"}},
	{"Bing", []string{"bingweb/", "bingsapphire"}},
	{"Google", []string{"<gsa/"}},
	{"WebView", []string{"; wv)", "webviewapp"}},
}

// compile turns the vocabulary into an index by first three bytes.
func compile() *lexicon {
	l := &lexicon{}
	add := func(mark string, e entry) {
		e.left = strings.HasPrefix(mark, "<")
		e.right = strings.HasSuffix(mark, ">")
		e.text = strings.Trim(mark, "<>")
		l.entries = append(l.entries, e)
	}
	for w, marks := range platformWords {
		for _, mark := range marks {
			add(mark, entry{word: w})
		}
	}
	for i, a := range apps {
		for _, mark := range a.marks {
			w := wordNone
			if a.name == "Instagram" {
				w = wordInstagram
			}
			add(mark, entry{word: w, label: a.name, rank: uint8(i + 1)})
		}
	}
	for class, names := range knownBots {
		for _, name := range names {
			add("<"+strings.ToLower(name), entry{bot: class, label: class.String() + ":" + name})
		}
	}
	for class, marks := range genericBots {
		for _, mark := range marks {
			add(mark, entry{bot: class})
		}
	}
	sort.Slice(l.entries, func(i, j int) bool {
		a, b := prefix(l.entries[i].text), prefix(l.entries[j].text)
		if a != b {
			return a < b
		}
		return l.entries[i].text > l.entries[j].text // the longer of two names first
	})
	for k := len(l.entries) - 1; k >= 0; k-- {
		code := prefix(l.entries[k].text)
		l.maybe[code>>6] |= 1 << (code & 63)
		l.first[code] = uint16(k + 1)
	}
	return l
}

// vocabulary is built once and never changed.
var vocabulary = compile()
