package device

// botClass is the first half of Device.Bot.
type botClass uint8

const (
	botNone botClass = iota
	botCrawler
	botPreview  // fetches a page's title and picture for a message or post
	botMonitor  // asks whether a site is up, fast or correct
	botScanner  // looks for malware, phishing or weaknesses, also in mail
	botTool     // a program or library without a person
	botHeadless // a browser without a person
	botEmpty
	botWeak // in genericBots: a tool, unless the agent names a phone
	botClassEnd
)

var botClassNames = [botClassEnd]string{"", "crawler", "preview", "monitor", "scanner", "tool", "headless", "empty", "tool"}

func (c botClass) String() string { return botClassNames[c] }

// botNameLimit keeps a stranger's agent from filling the dimension "bot", bytes.
const botNameLimit = 40

// knownBots have a name that no person's browser carries. It must begin a
// word. Those listed here are the ones that the general rules would miss,
// would put in the wrong class, or that must count even between a phone's
// model and build.
var knownBots = map[botClass][]string{
	botPreview: {
		"facebookexternalhit", "Facebot", "meta-externalhit", "meta-externalagent", "meta-externalfetcher", "Twitterbot", "LinkedInBot",
		"Slackbot", "Slack-ImgProxy", "TelegramBot", "Discordbot", "Pinterestbot", "Pinterest/0.", "redditbot", "SkypeUriPreview", "MicrosoftPreview",
		"vkShare", "OdklBot", "Embedly", "Iframely", "Cardyb", "BlueskyPreviewBot", "Bluesky", "Snap URL Preview", "Google-PageRenderer", "Google Web Preview",
		"developers.google.com/+/web/snippet", "GoogleImageProxy", "Google-Safety", "Mastodon", "Pleroma", "Misskey", "Akkoma", "Friendica", "Lemmy",
		"GoToSocial", "PeerTube", "Synapse", "Mattermost", "Rocket.Chat", "Zulip", "Nextcloud Server Crawler", "Bitrix link preview", "kakaotalk-scrap", "line-poker",
		"XING-contenttabreceiver", "Yahoo Link Preview", "Discourse Forum Onebox", "Tumblr/14", "FlipboardProxy", "NotionEmbedder",
		"BingPreview", "ViberUrlDownloader", "ViberBot", "Matrix-Media-Repo", "Kakaostory-Og-Reader", "TikTokSpider", "VKRobot", "SteamChatURLLookup", "EvernoteRichLinkBot", "Quora-Bot", "XING Bot",
		"Revoltbot", "GroupMeBot", "KeybaseBot", "SummalyBot", "EveryoneSocialBot", "DingTalkBot-LinkService", "CodaBot", "Notion/", "PeekBot", "LoomlyBot", "BeeperBot", "Hatena", "MailRuConnect", "TweetmemeBot",
	},
	botCrawler: {
		"Googlebot", "AdsBot-Google", "Mediapartners-Google", "Google-InspectionTool", "Google-Read-Aloud", "Google Favicon", "GoogleOther", "googleweblight", "Storebot-Google",
		"bingbot", "msnbot", "Applebot", "YandexBot", "Baiduspider", "DuckDuckBot", "Slurp", "Sogou", "Bytespider", "PetalBot", "AhrefsBot", "SemrushBot", "MJ12bot", "DotBot",
		"GPTBot", "ChatGPT-User", "OAI-SearchBot", "ClaudeBot", "Claude-User", "Claude-Web", "anthropic-ai", "PerplexityBot", "Perplexity-User", "CCBot", "Amazonbot", "facebookcatalog",
		"cohere-ai", "Diffbot", "MistralAI-User", "AASA-Bot", "Google Page Speed Insights", "Google Search Console", "ia_archiver", "heritrix", "nutch", "Daum ", "Daumoa", "ichiro", "Yeti/",
		"Ask Jeeves", "Teoma", "Qwantify", "DuplexWeb-Google", "Yahoo! ", "YahooMailProxy", "YahooCacheSystem", "BrandVerity", "Baidu Transcoder", "HTTrack", "Genieo", "Seekport", "Ezooms", "proximic",
	},
	botMonitor: {
		"Catchpoint", "PingdomPageSpeed", "Pingdom", "Chrome-Lighthouse", "GTmetrix", "PTST/", "DareBoost", "DMBrowser", "DejaClick", "Datadog", "Datanyze", "UptimeRobot",
		"StatusCake", "Site24x7", "NewRelic", "Dynatrace", "RuxitSynthetic", "google_partner_monitoring", "AppNeta", "Speedcurve", "Rigor", "ThousandEyes", "Gomez", "Keynote", "Nagios", "check_http",
		"Zabbix", "Ghost Inspector", "Siteimprove", "AlwaysOnline", "W3C_", "Jigsaw", "Amazon-Route53-Health-Check", "kube-probe", "GoogleHC", "ELB-HealthChecker", "HubSpot",
	},
	botScanner: {
		"BarracudaCentral", "Barracuda Sentinel", "Barracuda", "Proofpoint", "Mimecast", "TMES", "Trend Micro", "Trendmicro", "SafeLinks", "Forcepoint", "FireEye", "Zscaler",
		"BitSightBot", "CensysInspect", "Censys", "Expanse", "Palo Alto", "NetcraftSurveyAgent", "Netcraft", "Nmap", "masscan", "zgrab", "Nikto", "sqlmap", "WPScan", "Nessus", "OpenVAS",
		"Qualys", "Acunetix", "Arachni", "burpcollaborator", "ClamAV", "CheckMarkNetwork", "Sucuri", "VirusTotal", "urlscan", "PhishTank", "Cisco-", "Cyren", "Sophos", "Symantec", "McAfee",
		"Microsoft Office Existence", "Microsoft Office Protocol", "ms-office; MSOffice", "l9explore", "l9tcpid", "leakix", "Nuclei", "WhatWeb", "Detectify", "Fuzz Faster U Fool", "gobuster", "dirbuster", "feroxbuster",
	},
	botTool: {
		"curl", "Wget", "python", "aiohttp", "httpx", "Scrapy", "Go-http-client", "Go http package", "Java/", "libwww", "LWP", "Perl", "Ruby", "PHP", "PycURL", "axios", "node-fetch", "undici", "got (", "got/",
		"Guzzle", "Faraday", "RestSharp", "Postman", "insomnia", "HTTPie", "Dart/", "reqwest", "hyper/", "WindowsPowerShell", "PowerShell", "MechanicalSoup", "Mechanize", "Typhoeus",
		"Indy Library", "Embarcadero", "WinHTTP", "Apache-Http", "Jakarta Commons", "jsoup", "HtmlUnit", "Needle", "superagent", "urllib", "lua-resty", "Symfony", "libcurl", "aria2", "axel",
		"Transmission", "Download Master", "JDownloader", "Offline Explorer", "Teleport Pro", "WebCopier", "WebZIP", "webcollage", "Microsoft URL Control", "ApacheBench", "Wfetch", "Web Downloader", "MSFrontPage", "Cloud-Tasks",
		"Akregator", "Liferea", "NetNewsWire", "Feedly", "Windows-RSS", "Apple-PubSub", "AppEngine-Google", "DAP/", "GetRight", "CFSchedule", "ColdFusion", "Snoopy", "WordPress", "Drupal", "Joomla", "swcd (",
	},
	botHeadless: {
		"HeadlessChrome", "Headless", "PhantomJS", "Puppeteer", "Playwright", "Selenium", "Cypress", "SlimerJS", "CasperJS", "Splash", "Zombie.js", "jsdom", "WebDriver", "Browsershot", "wkhtml", "Nightmare", "CutyCapt", "prerender", "Rendertron",
	},
}

// genericBots are parts of words by which agents never seen before give
// themselves away.
var genericBots = map[botClass][]string{
	botCrawler: {
		"bot", "crawl", "spider", "slurp", "scrap", "archiv", "indexer", "harvest", "extract", "collector", "grabber", "sniffer",
		"fetch", "favicon", "sitemap", "webmaster", "subscriber", "backlink", "-seo", "seo-", "<seo", "analyz", "analys", "feedburner", "feed", "rss>", "research", "robo", "thumbnail", "screenshot", "search engine", "searchengine", "gpt", "openai",
		"discovery", "datamining", "reader/", "explorador", "transcoder", "parser", "walker", "worm", "catalog", "library", "scout", "agent>", "-google>",
	},
	botPreview: {"preview", "embed>", "unfurl", "onebox", "opengraph", "open graph", "metatag", "richlink", "linkexpand"},
	botMonitor: {"monitor", "uptime", "pingdom", "checker", "check>", "-check", "validator", "validat", "lighthouse", "probe", "healthcheck", "synthetic", "pagespeed", "page speed", "inspect", "watchdog", "verif", "audit", "ping>", "nagios", "survey", "tester", "benchmark", "statistic"},
	botScanner: {"scan>", "scanner", "vulnerab", "security", "phish", "malware", "antivirus", "exploit"},
	botTool:    {"download", "httpclient", "http-client", "http_client", "http client", "http request", "request", "libwww", "leech", "copier", "imageproxy", "mailproxy", "daemon", "mirror", "simplepie", "nodejs", "node.js"},
	botWeak:    {"http", "client", "cronet", "api>", "service", "server", "engine>", "test>", "update", "webhook", "proxy"},
}

// botName spells a bot found by a general rule: the class, and the word in
// which the telltale stands.
func botName(class botClass, ua string, at int) string {
	from, to := at, at
	for from > 0 && isNameByte(ua[from-1]) {
		from--
	}
	for to < len(ua) && isNameByte(ua[to]) {
		to++
	}
	name := ua[from:to]
	if len(name) > botNameLimit {
		name = name[:botNameLimit]
	}
	if name == "" {
		return class.String()
	}
	return class.String() + ":" + name
}

func isNameByte(c byte) bool {
	return isAlnum(c) || c == '.' || c == '_' || c == '-' || c == '!'
}

// bot tells why no person is behind the agent, or "".
func (s *sighting) bot(ua string, p Platform) (reason string, preview bool) {
	entries := vocabulary.entries
	switch {
	case isBarePreview(ua):
		return botName(botPreview, ua, 0), true
	case s.at[wordTextBrowser] == 0:
		return "", false
	case s.preview >= 0:
		return entries[s.preview].label, true
	case s.named >= 0:
		return entries[s.named].label, false
	case s.app >= 0 && (p == IOS || p == Android) && matchFold(ua, "mozilla/") && !s.surely():
		return "", false // apps append words of all kinds to their agent
	case s.generic >= 0:
		class := entries[s.generic].bot
		return botName(class, ua, int(s.genAt)), class == botPreview
	case s.at[wordURL] != absent && !isVendorLink(ua[s.at[wordURL]:]), s.at[wordDomain] != absent && p.IsDesktop():
		return botName(botCrawler, ua, s.owner(ua)), false
	}
	return s.botByShape(ua, p), false
}

// surely reports whether the general rule that matched is one that no app's
// own words trip.
func (s *sighting) surely() bool {
	return s.generic >= 0 && vocabulary.entries[s.generic].certainty() > 0
}

// certainty orders the general rules where an agent trips several: what names
// a preview beats what names any bot, and that beats the rest.
func (e *entry) certainty() int {
	switch {
	case e.bot == botPreview:
		return 2
	case e.text == "bot" || e.text == "crawl" || e.text == "spider":
		return 1
	}
	return 0
}

// isBarePreview knows the two messengers whose preview fetcher has the name of
// their browser but, unlike it, nothing of a browser around it.
func isBarePreview(ua string) bool {
	return matchFold(ua, "whatsapp") || matchFold(ua, "viber") || matchFold(ua, "instagram/") || matchFold(ua, "snapchat/0")
}

// vendorLinks are addresses that browsers of people carry.
var vendorLinks = []string{"bsalsa.com", "www.bsalsa.com", "www.avantbrowser.com", "www.konqueror.org", "www.maxthon", "www.crazybrowser", "www.sitekiosk"}

func isVendorLink(link string) bool {
	link = trimPrefixFold(trimPrefixFold(link, "http://"), "https://")
	for _, vendor := range vendorLinks {
		if matchFold(link, vendor) {
			return true
		}
	}
	return false
}

func trimPrefixFold(s, lower string) string {
	if matchFold(s, lower) {
		return s[len(lower):]
	}
	return s
}

// botByShape judges agents that say nothing telling: a browser names its
// system and its engine, and after "(compatible;" stands a browser.
func (s *sighting) botByShape(ua string, p Platform) string {
	mozilla := matchFold(ua, "mozilla/") || matchFold(ua, "opera")
	phone := s.at[wordPhone] != absent
	switch {
	case p != Unknown && p != Web && p != Windows && p != MacOS:
		if mozilla || s.at[wordEngine] != absent || p != Android && p != IOS {
			return ""
		}
		if matchFold(ua, "okhttp/") || matchFold(ua, "apache-") {
			return botName(botTool, ua, 0)
		}
		return ""
	case phone, s.at[wordTextBrowser] != absent, s.app >= 0, s.at[wordCFNetwork] != absent:
		return ""
	case s.weak >= 0 && !mozilla:
		return botName(botTool, ua, int(s.weakAt))
	case s.at[wordCompatible] != absent && s.at[wordExplorer] == absent && !s.saysSystem():
		return botName(botCrawler, ua, s.owner(ua))
	case s.at[wordEngine] == absent && s.at[wordExplorer] == absent && !isOldNetscape(ua):
		return botName(botTool, ua, 0)
	}
	return ""
}

// saysSystem reports whether the agent names an operating system at all.
func (s *sighting) saysSystem() bool {
	return s.at[wordOther] != absent || s.at[wordWindows] != absent || s.at[wordMac] != absent || s.at[wordMacintosh] != absent ||
		s.at[wordTelevision] != absent || s.at[wordPhone] != absent
}

// isOldNetscape: "Mozilla/4.7 [en] (WinNT; I)" was a browser.
func isOldNetscape(ua string) bool {
	return len(ua) > 9 && matchFold(ua, "mozilla/") && ua[8] < '5' && isDigit(ua[8])
}

// owner is where the product that signs the agent begins: after
// "(compatible; ", else the first product, and where that is only Mozilla the
// host of the address that the agent gives.
func (s *sighting) owner(ua string) int {
	const compatible = "(compatible"
	if at := s.at[wordCompatible]; at != absent {
		for i := int(at) + len(compatible); i < len(ua); i++ {
			if isAlnum(ua[i]) {
				return i
			}
		}
	}
	if !matchFold(ua, "mozilla") {
		return 0
	}
	if at := s.at[wordURL]; at != absent {
		link := ua[at:]
		return len(ua) - len(trimPrefixFold(trimPrefixFold(link, "http://"), "https://"))
	}
	return int(max(s.at[wordDomain], 0))
}
