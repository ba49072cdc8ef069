package onelink_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"waypost/attribution"
	"waypost/attribution/history"
	"waypost/compat/compattest"
	"waypost/compat/onelink"
	"waypost/ingest"
	"waypost/ingest/ingesttest"
	"waypost/internal/uid"
	"waypost/link"
)

// noon is the time of the servers of these tests.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// goldenKey is the SDK secret of the golden account: the key of the vendor's
// example of a signature.
const goldenKey = "w8sZzy8EaPaxFKfaoTqUi6"

const (
	goldenIOS, goldenAndroid, bossIOS = link.AppID(1011), link.AppID(1012), link.AppID(1013)
)

// won says that a click earned an installation.
type won struct {
	app      link.AppID
	install  string
	clicked  time.Duration // before noon
	after    time.Duration // the installation, after the click
	query    string        // merged, as Touches leave it
	deepLink string
	method   attribution.Method
	kind     attribution.TouchKind
	source   attribution.Source
	outcome  attribution.Outcome
}

// decide tells what a click earned. Its deep link is told for an hour more.
func (w *reports) decide(v won) {
	at := noon.Add(-v.clicked)
	touch := history.Touch{Query: v.query, DeepLink: v.deepLink}
	touch.ID = uid.NewClick()
	w.decisions.Decide(history.Installation{
		App: v.app, ID: v.install, At: at.Add(v.after), DeepLink: v.deepLink, LinkUntil: noon.Add(time.Hour), Outcome: v.outcome,
		Credit: &attribution.Credit{Match: attribution.Match{
			Touch: touch.ID, Kind: v.kind, Method: v.method, At: at, Lookback: 7 * 24 * time.Hour, Source: v.source}},
	}, touch)
}

// reports is a server of the reporting APIs with what is behind it. What no test
// has decided is organic as soon as it is asked for.
type reports struct {
	base      string
	api       *onelink.Ingest
	service   *ingest.Service
	ledger    *ingesttest.Ledger
	decisions *ingesttest.Decisions
}

func newReports(t testing.TB, given compattest.Given) *reports {
	t.Helper()
	rules, _ := givenRules(t, given)
	w := &reports{ledger: &ingesttest.Ledger{}, decisions: ingesttest.NewDecisions()}
	w.decisions.OrganicAt(noon)
	w.service = ingest.New(ingest.Config{
		Directory: rules.Directory, Ledger: w.ledger, Decisions: w.decisions, Now: func() time.Time { return noon },
	})
	w.api = onelink.NewIngest(onelink.IngestConfig{Intake: w.service, Tokens: rules, Directory: rules.Directory})
	w.base = compattest.Serve(t, w.api)
	return w
}

func goldenReports(t testing.TB) *reports {
	return newReports(t, compattest.Given{Setup: "golden"})
}

func signature(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// reportServer plays the exemplary cases of the reporting APIs. The installation
// of the vendor's examples was earned ten minutes before its start.
type reportServer struct{}

func (reportServer) Start(t *testing.T, given compattest.Given) compattest.Target {
	w := newReports(t, given)
	w.decide(won{
		app: goldenAndroid, install: "1644179019889-6748098", clicked: 10 * time.Minute, after: 10 * time.Minute,
		query:    "pid=Email&c=my_new_campaign&af_c_id=394a89cf&deep_link_value=apples&deep_link_sub1=26&fruit_name=apples&af_sub1=my_afsub1",
		deepLink: "apples", method: attribution.ByReferrer, kind: attribution.Click, outcome: attribution.NewInstall,
		source: attribution.Source{Name: "Email", Campaign: "my_new_campaign", CampaignID: "394a89cf"},
	})
	w.decisions.Decide(history.Installation{App: goldenAndroid, ID: "1600009251234-1234567",
		At: time.Date(2021, 8, 23, 6, 59, 51, 194e6, time.UTC)})
	return compattest.Target{API: w.base}
}

func TestExemplaryReports(t *testing.T) {
	t.Parallel()
	compattest.Run(t, "testdata/exemplary/reports", reportServer{})
}

var errLedgerDown = errors.New("the disk is gone")
