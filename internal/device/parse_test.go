package device

import "testing"

const (
	safari26  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1"
	chromeK   = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36"
	pixelView = "Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro XL Build/BP4A.251205.006; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/143.0.7499.52 Mobile Safari/537.36 "
	iosView   = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
	windows10 = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
	linuxPC   = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
	macSafari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15"
)

func TestParseDevices(t *testing.T) {
	t.Parallel()
	f := func(ua string, want Device) {
		t.Helper()
		if got := Parse(ua, Hints{}); got != want {
			t.Errorf("%s\n got  %+v\n want %+v", ua, got, want)
		}
	}
	// Apple.
	f(safari26, Device{Platform: IOS, OSVersion: "26.1", Model: "iPhone"})
	f("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1", Device{Platform: IOS, OSVersion: "17.5.1", Model: "iPhone"})
	f("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1", Device{Platform: IOS, OSVersion: "18.6", Model: "iPhone"})
	f("Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148", Device{Platform: IOS, Model: "iPhone", Browser: "WebView"})
	f("Mozilla/5.0 (iPad; CPU OS 16_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/108.0.5359.112 Mobile/15E148 Safari/604.1", Device{Platform: IOS, OSVersion: "16.1", Model: "iPad"})
	f("Mozilla/5.0 (iPod touch; CPU iPhone OS 12_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.0 Mobile/15E148 Safari/604.1", Device{Platform: IOS, OSVersion: "12.0", Model: "iPod"})
	f("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/24.1 Safari/605.1.15", Device{Platform: IOS, Model: "iPad"})
	f(macSafari, Device{Platform: MacOS})
	f("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_6) AppleWebKit/601.7.7 (KHTML, like Gecko) Version/9.1.2 Safari/601.7.7", Device{Platform: MacOS, OSVersion: "10.11.6"})
	f("MyApp/1.0 (iPhone; iOS 17.5; Scale/3.00)", Device{Platform: IOS, OSVersion: "17.5", Model: "iPhone"})
	f("MyApp/12 CFNetwork/1410.0.3 Darwin/22.6.0", Device{Platform: IOS, OSVersion: "16"})
	f("ExampleApp/1 iPhone5,2 iOS/10_1 CFNetwork/808.3 Darwin/16.3.0", Device{Platform: IOS, OSVersion: "10.1", Model: "iPhone5,2"})
	// Android and its relatives.
	f(chromeK, Device{Platform: Android})
	f("Mozilla/5.0 (Linux; Android 10; SM-A505F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Mobile Safari/537.36", Device{Platform: Android, OSVersion: "10", Model: "SM-A505F"})
	f("Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/20.0 Chrome/106.0.5249.126 Mobile Safari/537.36", Device{Platform: Android, OSVersion: "13", Model: "SM-S911B"})
	f("Mozilla/5.0 (Linux; arm_64; Android 12; SM-G780G) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0.5359.128 YaBrowser/22.11.7.42 Mobile Safari/537.36", Device{Platform: Android, OSVersion: "12", Model: "SM-G780G"})
	f("Mozilla/5.0 (Android 13; Mobile; rv:109.0) Gecko/118.0 Firefox/118.0", Device{Platform: Android, OSVersion: "13"})
	f("Dalvik/2.1.0 (Linux; U; Android 9; SM-G965U Build/PPR1.180610.011)", Device{Platform: Android, OSVersion: "9", Model: "SM-G965U"})
	f("Mozilla/5.0 (Linux; U; Android 4.1.2; zh-cn; HUAWEI MT1-U06 Build/HuaweiMT1-U06) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Mobile Safari/534.30", Device{Platform: Android, OSVersion: "4.1.2", Model: "HUAWEI MT1-U06"})
	f("Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/102.2.1 like Chrome/102.0.5005.125 Safari/537.36", Device{Platform: FireOS, OSVersion: "11", Model: "KFTRWI"})
	f("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Silk/102.2.1 like Chrome/102.0.5005.125 Safari/537.36", Device{Platform: FireOS})
	f("Mozilla/5.0 (Linux; Android 7.1.1; CUBOT NOTE BOT) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/72.0.3626.121 Mobile Safari/537.36", Device{Platform: Android, OSVersion: "7.1.1", Model: "CUBOT NOTE BOT"})
	// Desktops.
	f(windows10, Device{Platform: Windows})
	f("Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", Device{Platform: Windows, OSVersion: "7"})
	f(linuxPC, Device{Platform: Web})
	f("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36", Device{Platform: Web})
	f("Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 650) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36 Edge/15.15254", Device{Platform: Web})
}

func TestParseTelevisionsAndConsoles(t *testing.T) {
	t.Parallel()
	f := func(ua string, want Device) {
		t.Helper()
		if got := Parse(ua, Hints{}); got != want {
			t.Errorf("%s\n got  %+v\n want %+v", ua, got, want)
		}
	}
	f("AppleCoreMedia/1.0.0.21K69 (Apple TV; U; CPU OS 17_1 like Mac OS X; en_us)", Device{Platform: AppleTV, OSVersion: "17.1", Model: "AppleTV"})
	f("AppleTV11,1/11.1", Device{Platform: AppleTV, Model: "AppleTV11,1"})
	f("Mozilla/5.0 (Linux; Android 9; BRAVIA 4K VH2 Build/PTT1.190515.001.S52) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.91 Safari/537.36", Device{Platform: AndroidTV, OSVersion: "9", Model: "BRAVIA 4K VH2"})
	f("Mozilla/5.0 (Linux; Android 12; Chromecast Build/STTE.230319.008) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36 CrKey/1.56.500000 DeviceType/AndroidTV", Device{Platform: AndroidTV, OSVersion: "12", Model: "Chromecast"})
	f("Mozilla/5.0 (Linux; Android 9; AFTKAUK002) AppleWebKit/537.36 (KHTML, like Gecko) Silk/118.3.1 like Chrome/118.0.5993.155 Safari/537.36", Device{Platform: FireTV, OSVersion: "9", Model: "AFTKAUK002"})
	f("Roku/DVP-12.0 (12.0.0.4182-88)", Device{Platform: Roku, OSVersion: "12.0", Model: "Roku"})
	f("Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36", Device{Platform: Tizen, OSVersion: "6.0"})
	f("Mozilla/5.0 (Linux; Tizen 2.3; SAMSUNG SM-Z130H) AppleWebKit/537.3 (KHTML, like Gecko) Version/2.3 Mobile Safari/537.3", Device{Platform: Web})
	f("Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/79.0.3945.79 Safari/537.36 WebAppManager", Device{Platform: WebOS})
	f("Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.102 Safari/537.36 Edge/18.18363", Device{Platform: Xbox, Model: "Xbox Series X"})
	f("Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15", Device{Platform: PlayStation, OSVersion: "2.26", Model: "PlayStation 5"})
	f("Mozilla/5.0 (PlayStation 4 8.03) AppleWebKit/605.1.15 (KHTML, like Gecko)", Device{Platform: PlayStation, OSVersion: "8.03", Model: "PlayStation 4"})
}

func TestInAppBrowsersArePeople(t *testing.T) {
	t.Parallel()
	f := func(ua, browser string) {
		t.Helper()
		d := Parse(ua, Hints{})
		if d.Browser != browser || d.IsBot() || d.Preview || d.Platform != IOS && d.Platform != Android {
			t.Errorf("%s\n got %+v, want a person in %s", ua, d, browser)
		}
	}
	f(pixelView+"MetaIAB Facebook", "Facebook")
	f(pixelView+"[FB_IAB/FB4A;FBAV/263.0.0.46.121;]", "Facebook")
	f(iosView+" [FBAN/FBIOS;FBAV/183.0.0.41.81;FBDV/iPhone6,2;FBSN/iOS;FBSV/11.4.1;FBLC/pt_BR]", "Facebook")
	f(iosView+" [FBAN/MessengerForiOS;FBAV/183.0.0.41.81;FBDV/iPhone6,2;FBSV/11.4.1]", "Messenger")
	f(pixelView+"Instagram 406.0.0.58.159 Android (35/15; 480dpi; 1080x2400; OPPO; CPH2557; OP573DL1; qcom; en_US; 1)", "Instagram")
	f("Instagram 123.0.0.21.115 Android (28/9; 420dpi; 1080x2137; samsung; SM-G973F; beyond1; exynos9820; en_US; 1)", "Instagram")
	f(iosView+" Barcelona 300.0.0.1 (iPhone14,3; iOS 17_5; en_US)", "Threads")
	f(pixelView+"trill_2021509030 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/musical_ly app_version/15.9.3 ByteLocale/ru-RU", "TikTok")
	f(iosView+" BytedanceWebview/d8a21c6", "TikTok")
	f(iosView+" Snapchat/12.50.0.37 (like Safari/8615.3.12.0.1, panda)", "Snapchat")
	f(iosView+" [Pinterest/iOS]", "Pinterest")
	f(iosView+" [LinkedInApp]/9.29.1234", "LinkedIn")
	f(iosView+" Twitter for iPhone/10.12", "Twitter")
	f(pixelView+"TwitterAndroid", "Twitter")
	f(pixelView+"Line/13.21.0/IAB", "LINE")
	f(pixelView+"KAKAOTALK/10.4.5 (INAPP)", "KakaoTalk")
	f(pixelView+"WhatsApp/2.23.20.0", "WhatsApp")
	f(iosView+" MicroMessenger/8.0.44(0x18002c2d) NetType/WIFI Language/en", "WeChat")
	f(pixelView+"Viber/20.3.0.2", "Viber")
	f(pixelView+"Telegram-Android/10.2.9 (Google Pixel; Android 14; SDK 34; AVERAGE)", "Telegram")
	f("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/318.0.634366190 Mobile/15E148 Safari/604.1", "Google")
	f(pixelView, "WebView")
	f(iosView, "WebView")
	f(chromeK, "")
	f(safari26, "")
}
