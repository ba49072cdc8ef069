package onelink

import (
	"encoding/json"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"waypost/attribution"
	"waypost/ingest"
	"waypost/internal/fault"
	"waypost/internal/reply"
)

// invisible separates the parts of a signed text: U+2063.
const invisible = "\u2063"

// answerConversion is GET /install_data/v5.0/{app_id}: the conversion data of
// an installation. It tells the same however often it is asked, until a person is
// won back, and again when that is over.
func (in *Ingest) answerConversion(r *reported) (reply.Reply, error) {
	id, install := r.parts[0], r.URL.Query().Get("device_id")
	epoch, signature := r.Header.Get("af_request_epoch_ms"), r.Header.Get(signatureField)
	switch {
	case install == "":
		return reply.Reply{}, fault.Bad("device_id", fault.Missing, "this parameter is mandatory")
	case epoch == "":
		return reply.Reply{}, fault.Bad("af_request_epoch_ms", fault.Missing, "this header is mandatory")
	}
	app, err := in.signed(r.directory, id, signature, strings.Join([]string{epoch, install, id}, invisible), anyPlatform)
	if err != nil {
		return reply.Reply{}, err
	}
	r.handed = true
	told, err := in.Intake.Ask(r.Context(), app.ID, install, false)
	if err != nil {
		return reply.Reply{}, err
	}
	if told.Status == ingest.Pending {
		return reply.Reply{}, fault.New(fault.NotFound, "Attribution data for this AppsFlyer ID is not available")
	}
	if err := in.Intake.WonBack(r.Context(), &told); err != nil {
		return reply.Reply{}, err
	}
	return reply.JSON(http.StatusOK, conversionOf(&told)), nil
}

// refuseConversion is the error shape of conversion data. The reference has no
// row but 404.
func refuseConversion(f *fault.Error) reply.Reply {
	status, text := http.StatusInternalServerError, "Internal Server Error"
	switch f.Kind {
	case fault.NotFound:
		status, text = http.StatusNotFound, f.Message
	case fault.Unauthorized:
		status, text = http.StatusForbidden, f.Field+": "+f.Message
	case fault.Invalid:
		status, text = http.StatusBadRequest, f.Field+": "+f.Message
	case fault.Unavailable:
		status, text = http.StatusServiceUnavailable, "Service Unavailable"
	}
	return reply.JSON(status, map[string]any{"error_reason": text, "status_code": status})
}

// conversionTime is how conversion data writes instants, in UTC.
const conversionTime = "2006-01-02 15:04:05.000"

// earned is what conversion data speaks of.
type earned struct {
	*toldClick
	at          time.Time // of the start that it earned
	retargeting string    // the vendor's word for what that was
}

// earnedBy is what won the person back, while that lasts, else what earned the
// installation; its match is nil where nobody did.
func earnedBy(a *ingest.Answer) earned {
	if c := a.Installation.Reengagement; c != nil && a.Reengagement != nil {
		return earned{&toldClick{a.Reengagement, a.ReengagementTouch}, c.From, "re-engagement"}
	}
	e := earned{&toldClick{a.Match, a.Touch}, a.Installation.At, "none"}
	if a.Status == ingest.Reattributed {
		e.retargeting = "re-attribution"
	}
	return e
}

// conversionOf shapes the conversion data of an installation.
func conversionOf(a *ingest.Answer) map[string]any {
	installed := a.Installation.At.UTC().Format(conversionTime)
	by := earnedBy(a)
	if by.match == nil {
		return map[string]any{"af_status": "Organic", "af_message": "organic install", "install_time": installed}
	}
	said := saidParams{}
	if by.touch != nil {
		said = saidIn(by.touch.Query)
	}
	told := map[string]any{}
	for name, value := range said {
		// Where the person belongs is told for a day after the click.
		if late := by.at.Sub(by.match.At) > ConversionWindow; !late || !isDeepLinkParam(name) && name != paramDeepLink {
			told[name] = value
		}
	}
	for name := range said {
		// The app knows its device, and nobody else needs to.
		if _, isID := idOf(name, ""); isID || slices.Contains(conversionOwn, name) {
			delete(told, name)
		}
	}
	for _, name := range conversionNull {
		if _, there := told[name]; !there {
			told[name] = nil
		}
	}
	source := &by.match.Source
	told["af_status"], told["match_type"] = "Non-organic", matchType(by.match.Method)
	told["media_source"], told["campaign"], told["campaign_id"] = known(source.Name), known(source.Campaign), known(source.CampaignID)
	told["agency"], told["af_siteid"] = known(source.Agency), known(source.Site)
	told["adset"], told["adset_id"] = said.get(paramAdSet), said.get(paramAdSetID)
	told["click_time"], told["install_time"] = by.match.At.UTC().Format(conversionTime), installed
	told["iscache"] = true
	told["is_retargeting"] = strings.EqualFold(said[paramRetargeting], "true") || a.Reengagement != nil
	told["is_incentivized"] = strings.EqualFold(said[paramIncentivized], "true")
	told["retargeting_conversion_type"] = by.retargeting
	told["orig_cost"], told["cost_cents_USD"] = costOf(said)
	if _, there := said[paramClickLookback]; !there && by.match.Kind == attribution.Click {
		told[paramClickLookback] = windowText(by.match.Lookback)
	}
	return told
}

// conversionNull are members that are there in any case.
var conversionNull = []string{
	"is_universal_link", "adgroup", "adgroup_id", "is_branded_link", "esp_name", "redirect_response_data", "af_cpi", "engmnt_source",
	paramHTTPReferrer, paramClickLookback, paramAd, paramChannel, "af_sub1", "af_sub2", "af_sub3", "af_sub4", "af_sub5",
}

// conversionOwn are told under another name, or are the visitor's.
var conversionOwn = []string{paramSource, paramCampaign, paramCampaignID, paramAgency, paramAddress, paramAgent}

// costOf is what the link says that the click cost: in its own currency, with a
// fraction as the vendor writes it, and in cents of US dollars where that is its
// currency. Waypost knows no rates.
func costOf(said saidParams) (original json.Number, cents int64) {
	text := said[paramCostValue]
	if !costForm.MatchString(text) {
		return "0.0", 0
	}
	n, _ := new(big.Rat).SetString(text)
	if currency := said[paramCostCurrency]; currency == "" || strings.EqualFold(currency, "USD") {
		hundredths := new(big.Int).Mul(n.Num(), big.NewInt(100))
		cents = hundredths.Quo(hundredths, n.Denom()).Int64()
	}
	plain := strings.TrimRight(n.FloatString(costDecimals), "0")
	if strings.HasSuffix(plain, ".") {
		plain += "0"
	}
	return json.Number(plain), cents
}

// costDecimals is the vendor's limit of af_cost_value; what has more is cut.
const costDecimals = 4

// costForm bounds a cost well below what cents can count.
var costForm = regexp.MustCompile(`^[0-9]{1,14}(\.[0-9]{0,10})?$`)

// windowText writes a window as links do.
func windowText(d time.Duration) *string {
	const day = 24 * time.Hour
	switch {
	case d <= 0:
		return nil
	case d%day == 0:
		return known(strconv.FormatInt(int64(d/day), 10) + "d")
	}
	return known(strconv.FormatInt(int64(d/time.Hour), 10) + "h")
}
