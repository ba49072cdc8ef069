package device

import (
	"strings"
	"testing"
)

func TestPreviewFetchers(t *testing.T) {
	t.Parallel()
	f := func(ua, name string) {
		t.Helper()
		d := Parse(ua, Hints{})
		if d.Bot != "preview:"+name || !d.Preview || d.Browser != "" {
			t.Errorf("%s\n got %+v, want preview:%s", ua, d, name)
		}
	}
	f("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebookexternalhit")
	f("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0", "facebookexternalhit")
	f("facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/t/scrap/33984", "facebookexternalhit")
	f("Facebot", "Facebot")
	f("meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)", "meta-externalagent")
	f("Twitterbot/1.0", "Twitterbot")
	f("LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)", "LinkedInBot")
	f("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Slackbot")
	f("Slack-ImgProxy (+https://api.slack.com/robots)", "Slack-ImgProxy")
	f("TelegramBot (like TwitterBot)", "TelegramBot")
	f("WhatsApp/2.23.20.0 A", "WhatsApp")
	f("Viber", "Viber")
	f("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "Discordbot")
	f("Mozilla/5.0 (compatible; Pinterestbot/1.0; +http://www.pinterest.com/bot.html)", "Pinterestbot")
	f("Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)", "redditbot")
	f("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", "SkypeUriPreview")
	f("Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)", "vkShare")
	f("Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)", "Embedly")
	f("Iframely/1.3.1 (+https://iframely.com/docs/about)", "Iframely")
	f("http.rb/5.1.1 (Mastodon/4.1.0; +https://mastodon.social/)", "Mastodon")
	f("Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)", "Bluesky")
	f("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/56.0.2924.87 Safari/537.36 Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)", "Google-PageRenderer")
	f("Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots", "Snap URL Preview")
	// Never seen before, known by what it says of itself.
	f("AcmeChat-LinkPreview/3.2", "AcmeChat-LinkPreview")
}

func TestBots(t *testing.T) {
	t.Parallel()
	f := func(ua, want string) {
		t.Helper()
		if d := Parse(ua, Hints{}); d.Bot != want || d.Preview {
			t.Errorf("%s\n got %+v, want %s", ua, d, want)
		}
	}
	f("", "empty")
	f("  ", "empty")
	f("-", "empty")
	f("Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "crawler:Googlebot")
	f("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)", "crawler:Applebot")
	f("Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "crawler:GPTBot")
	f("AASA-Bot/1.0.0", "crawler:AASA-Bot")
	f("curl/8.5.0", "tool:curl")
	f("Wget/1.21.2", "tool:Wget")
	f("python-requests/2.31.0", "tool:python")
	f("Go-http-client/2.0", "tool:Go-http-client")
	f("Java/17.0.2", "tool:Java/")
	f("axios/1.6.2", "tool:axios")
	f("okhttp/4.9.0", "tool:okhttp")
	f("Mozilla/5.0", "tool:Mozilla")
	f("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/143.0.0.0 Safari/537.36", "headless:HeadlessChrome")
	f("Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1", "headless:PhantomJS")
	f("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", "scanner:ms-office; MSOffice")
	f("BarracudaCentral/1.0", "scanner:BarracudaCentral")
	f("Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "monitor:UptimeRobot")
	// Never seen before.
	f("Mozilla/5.0 (compatible; AcmeSearchBot/0.1)", "crawler:AcmeSearchBot")
	f("Mozilla/5.0 (compatible; Acme/0.1)", "crawler:Acme")
	f("AcmeCrawler (nobody@example.com)", "crawler:AcmeCrawler")
	f("acme-thing/1.0", "tool:acme-thing")
	f("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 (+https://example.com/why)", "crawler:example.com")
	f("x"+strings.Repeat("y", 100)+"bot", "crawler:x"+strings.Repeat("y", botNameLimit-1))
}

func TestBotBoundaries(t *testing.T) {
	t.Parallel()
	f := func(ua string, want bool) {
		t.Helper()
		if d := Parse(ua, Hints{}); d.IsBot() != want {
			t.Errorf("%s: bot %q, want bot: %v", ua, d.Bot, want)
		}
	}
	f("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Bottlenose/1", true) // a word of its own that begins with bot
	f("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 Abbott/1", false)
	f("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 AcmeBots/1", true)
	f("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36 AcmeBotMobile/1", true)
	f("Mozilla/5.0 (Linux; Android 9; Robot X1 Build/A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.0.0 Mobile Safari/537.36", false)
	f("Mozilla/5.0 (Linux; Android 6.0; Nexus 5 Build/MRA58N) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/51.0.5668.1446 Mobile Safari/537.36; AcmeSpider;spider@example.com", true)
	f(pixelView+"Instagram 1.0 request feed reader", false)
	f("ELinks/0.12 (textmode; Ubuntu; Linux 3.11.0 i686; 100x25-2)", false)
	f("Nokia6100/1.0 (04.01) Profile/MIDP-1.0 Configuration/CLDC-1.0", false)
}
