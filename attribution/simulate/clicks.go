package simulate

import (
	"fmt"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/internal/device"
	"waypost/link"
)

// browser is what a click came through.
type browser struct {
	agent  string
	hints  device.Hints
	script bool // a page with script ran: it knows the zone and the screen
}

const timezone = "Europe/Berlin"

// browse picks a browser for the person's phone.
func (b *builder) browse(p *person) browser {
	under := strings.ReplaceAll(p.version, ".", "_")
	if p.platform == device.IOS {
		short := strings.Join(strings.SplitN(p.version, ".", 3)[:2], ".")
		token := strings.ReplaceAll(short, ".", "_")
		if strings.HasPrefix(p.version, "26") {
			token = "18_7" // frozen since 26
		}
		engine := "Mozilla/5.0 (iPhone; CPU iPhone OS " + token + " like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
		switch {
		case b.chance(0.70):
			return browser{agent: engine + "Version/" + short + " Mobile/15E148 Safari/604.1", script: b.chance(0.2)}
		case b.chance(0.5):
			return browser{agent: engine + "Mobile/22H124 Instagram 402.0.0.28.86 (" + p.model.name + "; iOS " + under + "; de_DE; de; scale=3.00; 1179x2556; 700000000)"}
		}
		return browser{agent: engine + "Mobile/22H124"} // a web view that says nothing
	}
	switch {
	case b.chance(0.60):
		frozen := browser{agent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Mobile Safari/537.36", script: b.chance(0.3)}
		if frozen.script {
			frozen.hints = device.Hints{Platform: []byte(`"Android"`), PlatformVersion: []byte(`"` + p.version + `.0.0"`), Model: []byte(`"` + p.model.name + `"`), Mobile: []byte("?1")}
		}
		return frozen
	case b.chance(0.8):
		return browser{agent: "Mozilla/5.0 (Linux; Android " + p.version + "; " + p.model.name + " Build/BP3A.250905.014; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/143.0.7499.34 Mobile Safari/537.36 MetaIAB Facebook"}
	}
	return browser{agent: "Mozilla/5.0 (Linux; Android " + p.version + "; " + p.model.name + ") AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36"}
}

// visit is one click of the person on one of a dozen links. It returns where
// in the world's touches it stands.
func (b *builder) visit(p *person, at time.Time) int {
	return b.click(p, at, b.where(p), b.browse(p), b.campaign(p))
}

// retargeting is what the numbers of campaigns that win people back are
// greater by than those of their like.
const retargeting = 20

// campaign is what the person clicks: the first six are owned, the next six
// paid. Six in ten of what is shown to those who had the app is made to win
// them back; the rest was not meant for them. Some of it is shown to others.
func (b *builder) campaign(p *person) int {
	n := 1 + b.random.IntN(12)
	if p.had > 0 && b.chance(0.6) || b.chance(0.02) {
		n += retargeting
	}
	return n
}

func (b *builder) click(p *person, at time.Time, from *line, through browser, campaign int) int {
	d := device.Parse(through.agent, through.hints)
	id := b.nextID()
	t := attribution.Touchpoint{
		ID: id, Kind: attribution.Click, At: at, Account: account, Apps: []link.AppID{app}, Bot: d.Bot, Agent: through.agent,
		Source: attribution.Source{Partner: link.PartnerID(campaign), Name: fmt.Sprint("source-", campaign), Link: link.LinkID(campaign)},
		Owned:  campaign%retargeting <= 6, Retargeting: campaign > retargeting && campaign <= retargeting+12, ClickID: id.String(),
		Facts: attribution.Facts{Platform: d.Platform, OSVersion: d.OSVersion, Model: d.Model, Locale: p.locale, Addresses: b.fromBrowser(p, from)},
	}
	if through.script {
		t.Facts.Timezone, t.Facts.Screen = timezone, p.model.screen
	}
	// Half of the paid networks fill in the device's id, in one form or another.
	if !t.Owned && campaign%2 == 0 && p.tracking != attribution.No {
		t.DeviceIDs = []attribution.DeviceID{b.hashed(p)}
	}
	return b.add(t, p.id)
}

func (b *builder) add(t attribution.Touchpoint, owner int) int {
	b.Touches = append(b.Touches, t)
	b.Owners[t.ID] = owner
	return len(b.Touches) - 1
}

// crawl is what robots fetch.
func (b *builder) crawl(n int) {
	for range n {
		p := &b.people[b.random.IntN(len(b.people))]
		at := b.click(p, b.moment(), p.home, browser{agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 8_3 like Mac OS X) AppleWebKit/537.36 (KHTML, like Gecko) Version/8.0 Mobile/12F70 Safari/600.1.4 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}, 1)
		b.Owners[b.Touches[at].ID] = nobody
	}
}

// flood is a network that reports a click every ten minutes for each of n
// devices that never saw its advertisements, and hopes for their installs.
func (b *builder) flood(n int) {
	for range n {
		p := &b.people[b.random.IntN(len(b.people))]
		if p.platform != device.Android {
			continue
		}
		for i := range 24 * 6 {
			at := b.click(p, start.Add(time.Duration(i)*10*time.Minute), p.home, browser{agent: "Mozilla/5.0 (Linux; Android 10; K) Chrome/143.0.0.0 Mobile Safari/537.36"}, 99)
			t := &b.Touches[at]
			t.DeviceIDs, t.Facts.Addresses, t.Traffic.DeviceClicks = []attribution.DeviceID{{Kind: attribution.GAID, Value: p.adID}}, nil, i
			b.Fraud[t.ID] = true
		}
	}
}
